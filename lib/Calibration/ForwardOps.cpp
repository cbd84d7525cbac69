//===- ForwardOps.cpp - One op of a token-major graph on the f32 kernels ---------------------===//
#include "ForwardOps.h"

#include "qopt/Dialect/QIR/IR/ConstantIndex.h"
#include "qopt/Dialect/QIR/IR/Outliers.h"
#include "qopt/Support/FloatElements.h"
#include "qopt/Support/WeightStore.h"

#include "kernels/cpu/attention/attention.h"
#include "kernels/cpu/elementwise/elementwise.h"
#include "kernels/cpu/hadamard/hadamard.h"
#include "kernels/cpu/linear/linear.h"
#include "kernels/cpu/norm/norm.h"

#include "llvm/ADT/TypeSwitch.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace mlir;
using namespace qrt::kernels;
using qrt::Status;

namespace qopt::calibration {

namespace {

/// All elements of a float constant; empty if `value` is none.
std::vector<float> constantFloats(Value value) {
  auto constant = value ? value.getDefiningOp<qir::ConstantOp>() : qir::ConstantOp();
  if (!constant)
    return {};
  FailureOr<std::vector<float>> floats = readFloats(constant.getValue());
  return succeeded(floats) ? std::move(*floats) : std::vector<float>();
}

/// A weight in the layout of the dense kernel.
struct PackedWeight {
  WeightView view;
  std::unique_ptr<void, void (*)(void *)> memory{nullptr, std::free};
};

std::shared_ptr<PackedWeight> pack(const WeightMatrix &matrix) {
  auto packed = std::make_shared<PackedWeight>();
  packed->view.desc = {WeightFormat::F32, matrix.n, matrix.k};
  qrt::Result<PackedSizes> sizes = packedSizes(packed->view.desc);
  if (!sizes)
    return nullptr;
  packed->memory.reset(std::aligned_alloc(64, (sizes->data + 63) / 64 * 64));
  if (!packed->memory)
    throw std::bad_alloc();
  packDense(packed->view.desc, matrix.values.data(), packed->memory.get());
  packed->view.data = packed->memory.get();
  return packed;
}

class Binder {
public:
  Binder(const OpSlots &slots, std::string &why) : slots(slots), why(why) {}

  BoundOp bind(Operation *op);
  BoundOp bindLinear(const WeightMatrix &matrix, Value bias);
  BoundOp bindPacked(std::shared_ptr<PackedCodes> codes, Value bias);

private:
  BoundOp refuse(const char *reason) {
    why = reason;
    return nullptr;
  }
  int in(unsigned operand) const { return slots.inputs[operand]; }
  int out(unsigned result = 0) const { return slots.outputs[result]; }
  int64_t width(int slot) const { return slots.widths[slot]; }
  bool activations(std::initializer_list<unsigned> operands) const {
    return llvm::all_of(operands, [&](unsigned operand) { return in(operand) >= 0; });
  }

  BoundOp bindDeviceLinear(const WeightMatrix &matrix, const std::vector<float> &bias);
  BoundOp bindEmbedding(Operation *op, int64_t offset, Value ids);
  BoundOp bindNorm(Value weight, Value bias, double epsilon, bool rms);
  BoundOp bindUnary(UnaryKind kind, double parameter = 0);
  BoundOp bindGated(UnaryKind kind);
  BoundOp bindBinary(Operation *op, BinaryKind kind);
  BoundOp bindHadamard(qir::HadamardOp op);
  BoundOp bindRope(qir::RopeOp op);
  BoundOp bindAttention(qir::AttentionOp op);
  BoundOp bindSplit(qir::SplitOp op);
  BoundOp bindConcat(qir::ConcatOp op);
  BoundOp bindSlice(qir::SliceOp op);
  BoundOp copyColumns(int from, int64_t start, int to, int64_t toStart, int64_t count);

  const OpSlots &slots;
  std::string &why;
};

} // namespace

BoundOp Binder::bindEmbedding(Operation *op, int64_t offset, Value ids) {
  const int index = in(llvm::find(op->getOperands(), ids).getIndex()), to = out();
  if (index != idsSlot && index != positionsSlot)
    return refuse("of something else than ids and positions");
  auto table = std::make_shared<TableRows>();
  if (!readTable(op, *table))
    return refuse("with a table that is no readable constant");
  return [=](Chunk &chunk) -> Status {
    const std::vector<int32_t> &rows = index == idsSlot ? chunk.ids : chunk.positions;
    for (int64_t t = 0; t < chunk.tokens; ++t) {
      const int64_t row = rows[t] + offset;
      if (row < 0 || row >= table->n)
        return qrt::invalidArgument((index == idsSlot ? "token id " : "position ") +
                                    std::to_string(rows[t]) + " is outside the embedding of " +
                                    std::to_string(table->n) + " rows");
      table->read(row, chunk.values[to] + t * table->k);
    }
    return Status::ok();
  };
}

/// The runtime's product with a packed weight; `weight` owns its `view`.
template <class Owner>
static BoundOp packedLinear(int from, int to, std::shared_ptr<Owner> weight,
                            std::shared_ptr<std::vector<float>> bias, Activation activation) {
  return [=](Chunk &chunk) {
    LinearArgs args;
    args.dst = chunk.values[to];
    args.dstStride = weight->view.desc.n;
    args.src = chunk.values[from];
    args.srcStride = weight->view.desc.k;
    args.m = chunk.tokens;
    args.weight = weight->view;
    args.bias = bias->empty() ? nullptr : bias->data();
    args.activation = activation;
    return linear(chunk.pool, args, chunk.workspace);
  };
}

BoundOp Binder::bindLinear(const WeightMatrix &matrix, Value biasValue) {
  if (!activations({0}))
    return refuse("of something else than an activation");
  auto bias = std::make_shared<std::vector<float>>(constantFloats(biasValue));
  if (biasValue && static_cast<int64_t>(bias->size()) != matrix.n)
    return refuse("with a bias that is not constant");
  if (slots.products)
    return bindDeviceLinear(matrix, *bias);
  std::shared_ptr<PackedWeight> weight = pack(matrix);
  if (!weight)
    return refuse("with a weight of an impossible size");
  return packedLinear(in(0), out(), weight, bias, LinearArgs().activation);
}

/// As the runtime computes it.
BoundOp Binder::bindPacked(std::shared_ptr<PackedCodes> codes, Value biasValue) {
  if (!activations({0}))
    return refuse("of something else than an activation");
  auto bias = std::make_shared<std::vector<float>>(constantFloats(biasValue));
  if (biasValue && static_cast<int64_t>(bias->size()) != codes->view.desc.n)
    return refuse("with a bias that is not constant");
  const bool few = slots.arithmetic == SweepArithmetic::A8 &&
                   weightBits(codes->view.desc.format) <= 4; // else it would be the larger error
  return packedLinear(in(0), out(), codes, bias, few ? Activation::A8 : Activation::A16);
}

BoundOp Binder::bindDeviceLinear(const WeightMatrix &matrix, const std::vector<float> &bias) {
  const int from = in(0), to = out();
  auto weight = slots.products->upload(matrix.values, matrix.n, matrix.k, bias);
  if (!weight) // no reason to call the op unsupported: told when it runs
    return [error = weight.status()](Chunk &) { return error; };
  return [=, linear = *weight](Chunk &chunk) {
    return linear->multiply(chunk.values[from], chunk.tokens, chunk.values[to]);
  };
}

BoundOp Binder::bindNorm(Value weightValue, Value biasValue, double epsilon, bool rms) {
  auto weight = std::make_shared<std::vector<float>>(constantFloats(weightValue));
  auto bias = std::make_shared<std::vector<float>>(constantFloats(biasValue));
  if (!activations({0}) || weight->empty() || (biasValue && bias->empty()))
    return refuse("needs an activation and constant weights");
  const int from = in(0), to = out();
  const int64_t features = width(from);
  return [=](Chunk &chunk) {
    NormArgs args = {};
    args.dst = chunk.values[to];
    args.src = chunk.values[from];
    args.dstStride = args.srcStride = args.width = features;
    args.weight = weight->data();
    args.bias = bias->empty() ? nullptr : bias->data();
    args.tokens = chunk.tokens;
    args.chunk = static_cast<int64_t>(weight->size());
    args.epsilon = static_cast<float>(epsilon);
    rms ? rmsNorm(chunk.pool, args) : layerNorm(chunk.pool, args);
    return Status::ok();
  };
}

BoundOp Binder::bindUnary(UnaryKind kind, double parameter) {
  if (!activations({0}))
    return refuse("of something else than an activation");
  const int from = in(0), to = out();
  const int64_t features = width(to);
  return [=](Chunk &chunk) {
    UnaryArgs args = {};
    args.kind = kind;
    args.dst = chunk.values[to];
    args.src = chunk.values[from];
    args.dstStride = args.srcStride = args.width = features;
    args.tokens = chunk.tokens;
    args.parameter = static_cast<float>(parameter);
    unary(chunk.pool, args);
    return Status::ok();
  };
}

BoundOp Binder::bindGated(UnaryKind kind) {
  if (!activations({0, 1}))
    return refuse("of something else than activations");
  const int gate = in(0), up = in(1), to = out();
  const int64_t features = width(to);
  return [=](Chunk &chunk) {
    GatedArgs args = {};
    args.kind = kind;
    args.dst = chunk.values[to];
    args.gate = chunk.values[gate];
    args.up = chunk.values[up];
    args.dstStride = args.gateStride = args.upStride = args.width = features;
    args.tokens = chunk.tokens;
    gatedActivation(chunk.pool, args);
    return Status::ok();
  };
}

BoundOp Binder::bindBinary(Operation *op, BinaryKind kind) {
  int left = in(0), right = in(1), to = out();
  const bool swapped = left < 0;
  Value other = op->getOperand(swapped ? 0 : 1);
  if (swapped)
    std::swap(left, right);
  if (left < 0)
    return refuse("of operands that are not activations or constants");
  const int64_t features = width(left);
  auto vector = std::make_shared<std::vector<float>>();
  if (right < 0) {
    *vector = constantFloats(other);
    if (vector->size() != 1 && static_cast<int64_t>(vector->size()) != features)
      return refuse("of operands of different widths");
  } else if (width(right) != features) {
    return refuse("of operands of different widths");
  }
  return [=](Chunk &chunk) {
    BinaryArgs args = {};
    args.kind = kind;
    args.swapped = swapped;
    args.dst = chunk.values[to];
    args.lhs = chunk.values[left];
    args.dstStride = args.lhsStride = args.rhsStride = args.width = features;
    args.rhs = right >= 0 ? chunk.values[right] : vector->data();
    args.broadcast = right >= 0            ? Broadcast::None
                     : vector->size() == 1 ? Broadcast::Scalar
                                           : Broadcast::Row;
    args.tokens = chunk.tokens;
    binary(chunk.pool, args);
    return Status::ok();
  };
}

BoundOp Binder::bindHadamard(qir::HadamardOp op) {
  auto base = std::make_shared<std::vector<float>>(constantFloats(op.getBase()));
  if (!activations({0}) || (op.getBase() && base->empty()))
    return refuse("needs an activation and a constant base");
  const int from = in(0), to = out();
  const int64_t features = width(to), block = op.getBlock();
  return [=](Chunk &chunk) {
    HadamardArgs args = {};
    args.dst = chunk.values[to];
    args.src = chunk.values[from];
    args.dstStride = args.srcStride = args.width = features;
    args.base = base->empty() ? nullptr : base->data();
    args.baseOrder = base->empty() ? 1 : std::lround(std::sqrt(double(base->size())));
    args.tokens = chunk.tokens;
    args.block = block;
    hadamard(chunk.pool, args);
    return Status::ok();
  };
}

BoundOp Binder::bindRope(qir::RopeOp op) {
  auto frequencies = std::make_shared<std::vector<float>>(constantFloats(op.getInvFreq()));
  if (in(0) < 0 || in(1) != positionsSlot || frequencies->empty())
    return refuse("needs an activation, positions and constant frequencies");
  const int from = in(0), to = out();
  const int64_t features = width(to), headDim = op.getHeadDim();
  const bool interleaved = op.getInterleaved() != 0;
  const auto scaling = static_cast<float>(op.getScaling().convertToDouble());
  return [=](Chunk &chunk) {
    const RopeTables::Table &table = chunk.ropes.get(chunk.pool, *frequencies, scaling);
    RopeArgs args = {};
    args.x = chunk.values[to];
    if (chunk.values[from] != args.x)
      std::copy_n(chunk.values[from], chunk.tokens * features, args.x);
    args.stride = features;
    args.tokens = chunk.tokens;
    args.heads = features / headDim;
    args.headDim = headDim;
    args.rotaryDim = 2 * static_cast<int64_t>(frequencies->size());
    args.interleaved = interleaved;
    args.cos = table.cos.data();
    args.sin = table.sin.data();
    rope(chunk.pool, args);
    return Status::ok();
  };
}

BoundOp Binder::bindAttention(qir::AttentionOp op) {
  if (!activations({0, 1, 2}))
    return refuse("of something else than activations");
  AttentionArgs args;
  args.heads = op.getNumHeads();
  args.kvHeads = op.getKvHeads();
  args.headDim = op.getHeadDim();
  args.valueDim = op.getValueDim();
  args.scale = static_cast<float>(op.getScale().convertToDouble());
  args.softcap = static_cast<float>(op.getSoftcap().convertToDouble());
  args.window = op.getWindow();
  const int q = in(0), k = in(1), v = in(2), to = out();
  return [=](Chunk &chunk) -> Status {
    std::vector<int64_t> lengths;
    for (const TokenTable::Sequence &sequence : chunk.sequences)
      lengths.push_back(sequence.tokens);
    QRT_RETURN_IF_ERROR(chunk.pages.prepare(lengths, args.kvHeads, args.headDim, args.valueDim));
    std::vector<KvAppendSequence> appends;
    std::vector<AttentionSequence> sequences;
    for (size_t i = 0; i < chunk.sequences.size(); ++i) {
      const KvPages::Sequence &pages = chunk.pages.sequence(i);
      const auto [first, tokens] = chunk.sequences[i];
      appends.push_back({first, tokens, 0, pages.keys.data(), pages.values.data()});
      KvView view = {pages.keys.data(), pages.values.data(), tokens};
      sequences.push_back({first, tokens, 0, view});
    }
    KvAppendArgs append;
    append.k = chunk.values[k];
    append.kStride = args.kvHeads * args.headDim;
    append.v = chunk.values[v];
    append.vStride = args.kvHeads * args.valueDim;
    append.kvHeads = args.kvHeads;
    append.headDim = args.headDim;
    append.valueDim = args.valueDim;
    append.sequences = appends;
    QRT_RETURN_IF_ERROR(kvAppend(chunk.pool, append));
    AttentionArgs call = args;
    call.dst = chunk.values[to];
    call.dstStride = args.heads * args.valueDim;
    call.q = chunk.values[q];
    call.qStride = args.heads * args.headDim;
    call.sequences = sequences;
    return attention(chunk.pool, call, chunk.workspace);
  };
}

BoundOp Binder::copyColumns(int from, int64_t start, int to, int64_t toStart, int64_t count) {
  const int64_t fromWidth = width(from), toWidth = width(to);
  return [=](Chunk &chunk) {
    for (int64_t t = 0; t < chunk.tokens; ++t)
      std::copy_n(chunk.values[from] + t * fromWidth + start, count,
                  chunk.values[to] + t * toWidth + toStart);
    return Status::ok();
  };
}

static BoundOp inTurn(std::vector<BoundOp> parts) {
  return [parts = std::move(parts)](Chunk &chunk) -> Status {
    for (const BoundOp &part : parts)
      QRT_RETURN_IF_ERROR(part(chunk));
    return Status::ok();
  };
}

static bool isFeatureAxis(int64_t axis) { return axis == 1 || axis == -1; }

BoundOp Binder::bindSplit(qir::SplitOp op) {
  if (!activations({0}) || !isFeatureAxis(op.getAxis()))
    return refuse("of something else than features");
  std::vector<BoundOp> parts;
  int64_t start = 0;
  for (auto [result, size] : llvm::enumerate(op.getSizes())) {
    if (out(result) >= 0)
      parts.push_back(copyColumns(in(0), start, out(result), 0, size));
    start += size;
  }
  return inTurn(std::move(parts));
}

BoundOp Binder::bindConcat(qir::ConcatOp op) {
  std::vector<BoundOp> parts;
  int64_t start = 0;
  for (unsigned i = 0; i < op.getInputs().size(); ++i) {
    if (in(i) < 0 || !isFeatureAxis(op.getAxis()))
      return refuse("of something else than features");
    parts.push_back(copyColumns(in(i), 0, out(), start, width(in(i))));
    start += width(in(i));
  }
  return inTurn(std::move(parts));
}

BoundOp Binder::bindSlice(qir::SliceOp op) {
  std::optional<int64_t> start = qir::constantIndex(op.getStarts()),
                         end = qir::constantIndex(op.getEnds());
  bool features = op.getAxes().size() == 1 && isFeatureAxis(op.getAxes()[0]);
  bool dense = llvm::all_of(op.getSteps(), [](int64_t step) { return step == 1; });
  if (!activations({0}) || !start || !end || !features || !dense)
    return refuse("of something else than a constant range of features");
  const int64_t size = width(in(0));
  auto clamp = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + size : at, 0, size); };
  const int64_t first = clamp(*start), last = clamp(*end);
  if (last - first != width(out()))
    return refuse("of another width than its result");
  return copyColumns(in(0), first, out(), 0, last - first);
}

BoundOp Binder::bind(Operation *op) {
  auto readable = [&](bool read, WeightMatrix &matrix, auto use) -> BoundOp {
    return read ? use(matrix) : refuse("with a weight that is no readable constant");
  };
  WeightMatrix matrix;
  return llvm::TypeSwitch<Operation *, BoundOp>(op)
      .Case<qir::EmbeddingOp, qir::QuantizedEmbeddingOp>(
          [&](auto op) { return bindEmbedding(op, op.getOffset(), op.getIds()); })
      .Case([&](qir::LinearOp op) {
        return readable(readWeight(op.getW(), matrix), matrix,
                        [&](const WeightMatrix &m) { return bindLinear(m, op.getBias()); });
      })
      .Case([&](qir::QuantizedLinearOp op) {
        if (slots.arithmetic != SweepArithmetic::F32 && !slots.products && !qir::outliersOf(op))
          if (std::shared_ptr<PackedCodes> codes = packCodes(op))
            return bindPacked(std::move(codes), op.getBias());
        bool read = readCodes(op.getCodes(), op.getScales(), op.getZeroPoints(), op.getBits(),
                              op.getGroupSize(), matrix) &&
                    addOutliers(op, matrix);
        return readable(read, matrix,
                        [&](const WeightMatrix &m) { return bindLinear(m, op.getBias()); });
      })
      .Case([&](qir::RmsNormOp op) {
        return bindNorm(op.getW(), {}, op.getEpsilon().convertToDouble(), true);
      })
      .Case([&](qir::LayerNormOp op) {
        return bindNorm(op.getW(), op.getB(), op.getEpsilon().convertToDouble(), false);
      })
      .Case([&](qir::AddOp op) { return bindBinary(op, BinaryKind::Add); })
      .Case([&](qir::SubOp op) { return bindBinary(op, BinaryKind::Sub); })
      .Case([&](qir::MulOp op) { return bindBinary(op, BinaryKind::Mul); })
      .Case([&](qir::DivOp op) { return bindBinary(op, BinaryKind::Div); })
      .Case([&](qir::SwigluOp) { return bindGated(UnaryKind::Silu); })
      .Case([&](qir::GegluOp op) {
        return bindGated(op.getApproximate() == "tanh" ? UnaryKind::GeluTanh : UnaryKind::Gelu);
      })
      .Case([&](qir::GeluOp op) {
        return bindUnary(op.getApproximate() == "tanh" ? UnaryKind::GeluTanh : UnaryKind::Gelu);
      })
      .Case([&](qir::QuickGeluOp op) {
        return op.getAlpha().convertToDouble() == 1.702 ? bindUnary(UnaryKind::QuickGelu)
                                                        : refuse("with another alpha than 1.702");
      })
      .Case([&](qir::SiluOp) { return bindUnary(UnaryKind::Silu); })
      .Case([&](qir::ReluOp) { return bindUnary(UnaryKind::Relu); })
      .Case([&](qir::TanhOp) { return bindUnary(UnaryKind::Tanh); })
      .Case([&](qir::SigmoidOp) { return bindUnary(UnaryKind::Sigmoid); })
      .Case([&](qir::SoftcapOp op) {
        return bindUnary(UnaryKind::Softcap, op.getCap().convertToDouble());
      })
      .Case([&](qir::HadamardOp op) { return bindHadamard(op); })
      .Case([&](qir::RopeOp op) { return bindRope(op); })
      .Case([&](qir::AttentionOp op) { return bindAttention(op); })
      .Case([&](qir::SplitOp op) { return bindSplit(op); })
      .Case([&](qir::ConcatOp op) { return bindConcat(op); })
      .Case([&](qir::SliceOp op) { return bindSlice(op); })
      .Default([&](Operation *) { return refuse("is not token-major"); });
}

BoundOp bindLinear(const WeightMatrix &weight, Value bias, const OpSlots &slots, std::string &why) {
  return Binder(slots, why).bindLinear(weight, bias);
}

bool isAlias(Operation *op) { return isa<qir::CastOp, qir::IdentityOp>(op); }

BoundOp bindOp(Operation *op, const OpSlots &slots, std::string &why) {
  return Binder(slots, why).bind(op);
}

Status missingKernels(const std::map<std::string, int> &problems) {
  if (problems.empty())
    return Status::ok();
  std::string text = "calibration has no kernel for:";
  for (const auto &[problem, count] : problems)
    text += " " + problem + " (" + std::to_string(count) + " times);";
  text.pop_back();
  return qrt::unsupported(text);
}

} // namespace qopt::calibration
