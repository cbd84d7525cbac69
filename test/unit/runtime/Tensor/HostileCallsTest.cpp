//===- HostileCallsTest.cpp - Random operands and attributes never crash ----------------------===//
// Calls come from files: any op with any operands must give results or an error. Run under the
// sanitizers for most of its worth.
#include "ModelFixture.h"

using namespace qrt;
using namespace qrt::tensor;

namespace {

/// Every op of the .td files but constant, if and yield.
const char *const allOps[] = {"abs",
                              "add",
                              "and",
                              "arg_max",
                              "attention",
                              "cast",
                              "ceil",
                              "clip",
                              "concat",
                              "cos",
                              "cumsum",
                              "dequantize",
                              "dequantize_linear",
                              "div",
                              "dynamic_quantize_linear",
                              "einsum",
                              "embedding",
                              "equal",
                              "erf",
                              "exp",
                              "expand",
                              "flatten",
                              "floor",
                              "full",
                              "gather",
                              "gather_elements",
                              "gather_nd",
                              "geglu",
                              "gelu",
                              "greater",
                              "greater_equal",
                              "hadamard",
                              "identity",
                              "is_inf",
                              "is_nan",
                              "layer_norm",
                              "less",
                              "less_equal",
                              "linear",
                              "log",
                              "log_softmax",
                              "matmul",
                              "matmul_integer",
                              "max",
                              "min",
                              "mod",
                              "mul",
                              "neg",
                              "non_zero",
                              "not",
                              "or",
                              "pad",
                              "pow",
                              "quantize",
                              "quantize_linear",
                              "quantized_embedding",
                              "quantized_linear",
                              "quick_gelu",
                              "range",
                              "reciprocal",
                              "reduce_l2",
                              "reduce_max",
                              "reduce_mean",
                              "reduce_min",
                              "reduce_prod",
                              "reduce_sum",
                              "relu",
                              "reshape",
                              "rms_norm",
                              "rope",
                              "rotary_embedding",
                              "round",
                              "scatter_nd",
                              "sdpa",
                              "shape_of",
                              "sigmoid",
                              "sign",
                              "silu",
                              "sin",
                              "size_of",
                              "slice",
                              "softcap",
                              "softmax",
                              "softplus",
                              "split",
                              "sqrt",
                              "squeeze",
                              "sub",
                              "swiglu",
                              "tanh",
                              "tile",
                              "top_k",
                              "transpose",
                              "trilu",
                              "unsqueeze",
                              "where",
                              "xor"};

class Calls {
public:
  explicit Calls(unsigned seed) : random(seed) {}

  int64_t below(int64_t n) { return static_cast<int64_t>(random() % static_cast<uint64_t>(n)); }

  int64_t number() {
    static const int64_t odd[] = {INT64_MIN, INT64_MAX, int64_t(1) << 40, -(int64_t(1) << 33), 97};
    return below(12) == 0 ? odd[below(5)] : below(7) - 2;
  }

  Tensor tensor() {
    const DType dtypes[] = {DType::F32, DType::I64, static_cast<DType>(below(numDTypes))};
    const DType dtype = dtypes[below(3)];
    Shape shape;
    for (int64_t rank = below(5); rank > 0; --rank)
      shape.push_back(below(9) == 0 ? 0 : below(4) + 1);
    if (below(12) == 0) { // vast or negative, so without data
      for (int64_t &dim : shape)
        dim = number();
      return {dtype, shape, nullptr};
    }
    if (below(8) == 0)
      return {dtype, shape, nullptr};
    std::vector<int64_t> values(static_cast<size_t>(countOf(shape)));
    for (int64_t &value : values)
      value = number();
    return pack(dtype, shape, std::move(values)).takeValue();
  }

  AttrValue attribute() {
    static const char *const words[] = {"tanh", "f16",  "i4",  "reflect",   "edge",  "wrap",
                                        "add",  "none", "max", "ij,jk->ik", "ii->i", "w4a16"};
    switch (below(8)) {
    case 0:
      return std::string(words[below(12)]);
    case 1:
      return static_cast<double>(number());
    case 2:
    case 3: {
      std::vector<int64_t> list(static_cast<size_t>(below(4)));
      for (int64_t &value : list)
        value = number();
      return list;
    }
    default:
      return number();
    }
  }

  OpCall call(const char *op) {
    static const char *const names[] = {
        "axis",      "axes",     "keepdims",  "perm",        "sizes",     "steps",
        "start",     "end",      "to",        "mode",        "upper",     "allowzero",
        "cap",       "largest",  "equation",  "group",       "bits",      "scale",
        "causal",    "epsilon",  "head_dim",  "interleaved", "reduction", "batch_dims",
        "num_heads", "kv_heads", "value_dim", "block_size",  "offset",    "symmetric"};
    OpCall call{op, {}};
    for (int64_t i = below(7); i > 0; --i)
      call.attrs[names[below(30)]] = attribute();
    return call;
  }

private:
  std::mt19937_64 random;
};

} // namespace

TEST(HostileCalls, EveryOpIsKnown) {
  for (const char *op : allOps)
    EXPECT_TRUE(isKnownOp(op)) << op;
}

TEST(HostileCalls, GiveResultsOrErrors) {
  Calls calls(7);
  int64_t good = 0, bad = 0;
  for (int round = 0; round < 300; ++round)
    for (const char *op : allOps) {
      std::vector<Tensor> tensors(static_cast<size_t>(calls.below(5)));
      std::vector<const Tensor *> operands;
      for (Tensor &tensor : tensors) {
        tensor = calls.tensor();
        operands.push_back(calls.below(20) == 0 ? nullptr : &tensor);
      }
      auto results = evaluate(calls.call(op), operands);
      good += results.isOk();
      bad += !results.isOk();
      if (!results) {
        ASSERT_FALSE(results.status().message().empty()) << op;
        continue;
      }
      for (const Tensor &result : *results)
        ASSERT_TRUE(checkShape(result.dtype, result.shape).isOk()) << op;
    }
  EXPECT_GT(good, 1000);
  EXPECT_GT(bad, 1000);
}
