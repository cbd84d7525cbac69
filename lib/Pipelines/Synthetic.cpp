//===- Synthetic.cpp - Models of known shapes with random weights ----------------------------===//
#include "qopt/Pipelines/Synthetic.h"

#include "qopt/Dialect/QIR/IR/QIROps.h"
#include "qopt/Support/SpillPolicy.h"
#include "qopt/Support/WeightStore.h"
#include "qrt/Half.h"

#include "Support/Memory.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Threading.h"

#include <cmath>

using namespace mlir;

namespace qopt {

static constexpr SyntheticShape shapes[] = {
    // name, layers, hidden, heads, kv, dim, intermediate, vocabulary, theta, eps, tied, bias,
    // context
    {"smollm2-135m", 30, 576, 9, 3, 64, 1536, 49152, 1e5, 1e-5, true, false, 8192},
    {"qwen2.5-0.5b", 24, 896, 14, 2, 64, 4864, 151936, 1e6, 1e-6, true, true, 32768},
    {"qwen2.5-1.5b", 28, 1536, 12, 2, 128, 8960, 151936, 1e6, 1e-6, true, true, 131072},
    {"llama-3.1-8b", 32, 4096, 32, 8, 128, 14336, 128256, 5e5, 1e-5, false, false, 131072},
};

const SyntheticShape *findSyntheticShape(llvm::StringRef name) {
  for (const SyntheticShape &shape : shapes)
    if (name == shape.name)
      return &shape;
  return nullptr;
}

bool isSyntheticName(llvm::StringRef name) { return findSyntheticShape(name) != nullptr; }

std::string syntheticNames() {
  std::string names;
  for (const SyntheticShape &shape : shapes)
    names.append(names.empty() ? "" : ", ").append(shape.name);
  return names;
}

/// Element `index` of stream `seed`: close to normal, mean 0, variance 1. The sum of four uniform
/// 16-bit numbers, all from one splitmix64 step, so any element can be made by itself.
static float randomElement(uint64_t seed, uint64_t index) {
  uint64_t z = (seed << 40) + index + 1;
  z *= 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  z ^= z >> 31;
  int64_t sum = int64_t(z & 0xffff) + int64_t(z >> 16 & 0xffff) + int64_t(z >> 32 & 0xffff) +
                int64_t(z >> 48);
  constexpr float deviation = 37837.2f; // of the sum: 65536 * sqrt(4 / 12)
  return static_cast<float>(sum - 2 * 65535) / deviation;
}

namespace {

class SyntheticBuilder {
public:
  SyntheticBuilder(MLIRContext &context, const SyntheticShape &shape)
      : shape(shape), builder(&context) {}

  OwningOpRef<ModuleOp> build();

private:
  Location named(const Twine &name) { return NameLoc::get(builder.getStringAttr(name)); }
  Type tokens(int64_t width) {
    return RankedTensorType::get({ShapedType::kDynamic, width}, builder.getF32Type());
  }
  /// A bf16 matrix [n, k] of random weights.
  Value matrix(const Twine &name, int64_t n, int64_t k);
  /// An f32 vector: `mean` plus a little noise.
  Value vector(const Twine &name, int64_t size, float mean);
  Value norm(const Twine &name, Value x);
  Value linear(const Twine &name, Value x, int64_t n, bool bias);
  Value attention(int64_t layer, Value x, Value positions, Value frequencies);
  Value mlp(int64_t layer, Value x);
  Value frequencies();
  Value add(Value a, Value b) {
    return qir::AddOp::create(builder, builder.getUnknownLoc(), a.getType(), a, b);
  }

  const SyntheticShape &shape;
  OpBuilder builder;
  uint64_t seed = 0;
};

} // namespace

Value SyntheticBuilder::matrix(const Twine &name, int64_t n, int64_t k) {
  auto type = RankedTensorType::get({n, k}, builder.getBF16Type());
  MutableArrayRef<char> bytes;
  ElementsAttr value = WeightStore::allocate(type, name.str(), bytes);
  auto *out = reinterpret_cast<uint16_t *>(bytes.data());
  const float scale = 1.0f / std::sqrt(static_cast<float>(k));
  const uint64_t stream = ++seed;
  mlir::parallelFor(builder.getContext(), 0, n, [&](size_t row) {
    for (int64_t i = row * k, end = i + k; i < end; ++i)
      out[i] = qrt::f32ToBf16(scale * randomElement(stream, i));
  });
  return qir::ConstantOp::create(builder, named(name), type, value);
}

Value SyntheticBuilder::vector(const Twine &name, int64_t size, float mean) {
  auto type = RankedTensorType::get({size}, builder.getF32Type());
  std::vector<float> values(size);
  const uint64_t stream = ++seed;
  for (int64_t i = 0; i < size; ++i)
    values[i] = mean + 0.05f * randomElement(stream, i);
  ArrayRef<char> bytes(reinterpret_cast<const char *>(values.data()), size * sizeof(float));
  return qir::ConstantOp::create(builder, named(name), type,
                                 WeightStore::insertCopy(type, name.str(), bytes));
}

Value SyntheticBuilder::norm(const Twine &name, Value x) {
  return qir::RmsNormOp::create(builder, named(name), x.getType(), x,
                                vector(name + ".weight", shape.hidden, 1.0f),
                                builder.getF64FloatAttr(shape.epsilon));
}

Value SyntheticBuilder::linear(const Twine &name, Value x, int64_t n, bool bias) {
  int64_t k = cast<RankedTensorType>(x.getType()).getDimSize(1);
  Value weight = matrix(name + ".weight", n, k);
  Value offset = bias ? vector(name + ".bias", n, 0.0f) : Value();
  return qir::LinearOp::create(builder, named(name), tokens(n), x, weight, offset,
                               qir::SchemeAttr(), StringAttr());
}

Value SyntheticBuilder::attention(int64_t layer, Value x, Value positions, Value inverse) {
  std::string prefix = "model.layers." + std::to_string(layer) + ".self_attn.";
  const int64_t dim = shape.headDim;
  IntegerAttr headDim = builder.getI64IntegerAttr(dim);
  auto rotate = [&](Value value) -> Value {
    return qir::RopeOp::create(builder, value.getLoc(), value.getType(), value, positions, inverse,
                               headDim, builder.getI64IntegerAttr(0), builder.getF64FloatAttr(1.0));
  };
  Value q = rotate(linear(prefix + "q_proj", x, shape.heads * dim, shape.qkvBias));
  Value k = rotate(linear(prefix + "k_proj", x, shape.kvHeads * dim, shape.qkvBias));
  Value v = linear(prefix + "v_proj", x, shape.kvHeads * dim, shape.qkvBias);
  Value heads = qir::AttentionOp::create(
      builder, named(prefix + "attention"), tokens(shape.heads * dim), q, k, v,
      builder.getI64IntegerAttr(shape.heads), builder.getI64IntegerAttr(shape.kvHeads), headDim,
      headDim, builder.getF64FloatAttr(1.0 / std::sqrt(static_cast<double>(dim))),
      builder.getF64FloatAttr(0.0), builder.getI64IntegerAttr(0), builder.getI64IntegerAttr(layer));
  return linear(prefix + "o_proj", heads, shape.hidden, false);
}

Value SyntheticBuilder::mlp(int64_t layer, Value x) {
  std::string prefix = "model.layers." + std::to_string(layer) + ".mlp.";
  Value gate = linear(prefix + "gate_proj", x, shape.intermediate, false);
  Value up = linear(prefix + "up_proj", x, shape.intermediate, false);
  Value both = qir::SwigluOp::create(builder, named(prefix + "act"), gate.getType(), gate, up);
  return linear(prefix + "down_proj", both, shape.hidden, false);
}

Value SyntheticBuilder::frequencies() {
  auto type = RankedTensorType::get({shape.headDim / 2}, builder.getF32Type());
  std::vector<float> values(shape.headDim / 2);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(std::pow(shape.ropeTheta, -2.0 * i / shape.headDim));
  ArrayRef<char> bytes(reinterpret_cast<const char *>(values.data()),
                       values.size() * sizeof(float));
  return qir::ConstantOp::create(builder, named("inv_freq"), type,
                                 WeightStore::insertCopy(type, "inv_freq", bytes));
}

OwningOpRef<ModuleOp> SyntheticBuilder::build() {
  OwningOpRef<ModuleOp> module = ModuleOp::create(builder.getUnknownLoc());
  builder.setInsertionPointToEnd(module->getBody());
  auto ids = RankedTensorType::get({ShapedType::kDynamic}, builder.getI32Type());
  auto function =
      func::FuncOp::create(builder, builder.getUnknownLoc(), "main",
                           builder.getFunctionType({ids, ids}, {tokens(shape.vocabulary)}));
  function->setAttr(qir::tokenMajorAttr, builder.getUnitAttr());
  function.setArgAttr(0, qir::nameAttr, builder.getStringAttr("ids"));
  function.setArgAttr(1, qir::nameAttr, builder.getStringAttr("positions"));
  function.setResultAttr(0, qir::nameAttr, builder.getStringAttr("logits"));
  builder.setInsertionPointToEnd(function.addEntryBlock());

  Value table = matrix("model.embed_tokens.weight", shape.vocabulary, shape.hidden);
  Value inverse = frequencies();
  Value x = qir::EmbeddingOp::create(builder, named("embed_tokens"), tokens(shape.hidden), table,
                                     function.getArgument(0), builder.getI64IntegerAttr(0),
                                     qir::SchemeAttr());
  for (int64_t layer = 0; layer < shape.layers; ++layer) {
    std::string prefix = "model.layers." + std::to_string(layer) + ".";
    Value attended =
        attention(layer, norm(prefix + "input_layernorm", x), function.getArgument(1), inverse);
    x = add(x, attended);
    x = add(x, mlp(layer, norm(prefix + "post_attention_layernorm", x)));
  }
  Value last = norm("model.norm", x);
  Value head = shape.tied ? table : matrix("lm_head.weight", shape.vocabulary, shape.hidden);
  Value logits =
      qir::LinearOp::create(builder, named("lm_head"), tokens(shape.vocabulary), last, head,
                            Value(), qir::SchemeAttr(), builder.getStringAttr("head"));
  func::ReturnOp::create(builder, builder.getUnknownLoc(), logits);
  return module;
}

static int64_t parameterCount(const SyntheticShape &s) {
  int64_t attention = s.hidden * s.headDim * (2 * s.heads + 2 * s.kvHeads);
  int64_t layer = attention + 3 * s.hidden * s.intermediate;
  return s.layers * layer + s.vocabulary * s.hidden * (s.tied ? 1 : 2);
}

qrt::Result<OwningOpRef<ModuleOp>> buildSynthetic(MLIRContext &context,
                                                  const SyntheticShape &shape) {
  // In memory up to the policy's share, else in a file.
  const int64_t needed = 2 * parameterCount(shape), free = qrt::availableMemory(),
                disk = spillSpace();
  const int64_t kept = std::min(needed, spillPolicy().heapBytes);
  if (kept > free || needed - kept > disk)
    return qrt::resourceExhausted(std::string("the weights of ") + shape.name + " need " +
                                  qrt::formatBytes(needed) + ", only " + qrt::formatBytes(free) +
                                  " of memory and " + qrt::formatBytes(disk) +
                                  " for spilled weights are free");
  return SyntheticBuilder(context, shape).build();
}

} // namespace qopt
