//===- ImportBlockQuantized.cpp - com.microsoft MatMulNBits and GatherBlockQuantized ----------===//
// Both hold rows of packed codes along K, low bits first. The codes are unpacked once per stored
// tensor, so a head and an embedding that share a tensor share the unpacked one.
// Blocks of 32, 64 and 128 map to groups; larger ones repeat their scales per 128; other blocks and
// float zero points become float weights.
#include "GraphImporter.h"

#include "qopt/Support/WeightStore.h"

#include "qrt/Half.h"

#include <cmath>
#include <cstring>

using namespace mlir;

namespace qopt {

namespace {
struct Blocks {
  int64_t rows, columns, bits, block;
  int64_t count() const { return (columns + block - 1) / block; }
  int64_t rowBytes(int64_t elements) const { return (elements * bits + 7) / 8; }
};
} // namespace

/// The constant behind reshapes and identities.
static qir::ConstantOp rootConstant(Value value) {
  while (value && value.getDefiningOp() &&
         isa<qir::ReshapeOp, qir::IdentityOp>(value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  return value ? value.getDefiningOp<qir::ConstantOp>() : qir::ConstantOp();
}

static StringRef nameOf(qir::ConstantOp op) {
  auto name = dyn_cast<NameLoc>(op.getLoc());
  return name ? name.getName().getValue() : StringRef("codes");
}

/// Codes of `rows` rows of `columns` elements that are `rowBytes` apart.
static void unpackRows(ArrayRef<char> packed, const Blocks &b, int64_t columns, int64_t rowBytes,
                       MutableArrayRef<char> out) {
  int64_t perByte = 8 / b.bits;
  unsigned mask = (1u << b.bits) - 1;
  for (int64_t row = 0; row < b.rows; ++row)
    for (int64_t i = 0; i < columns; ++i)
      out[row * columns + i] =
          char((uint8_t(packed[row * rowBytes + i / perByte]) >> (i % perByte * b.bits)) & mask);
}

static Outcome unpackCodes(Node &node, const Blocks &b, Value packed, Value &codes) {
  qir::ConstantOp root = rootConstant(packed);
  if (!root)
    return node.unsupported("weights that are not constant");
  Value &known = node.owner().unpackedCodes(root, b.rows, b.columns, b.bits);
  if (!known) {
    SmallVector<char> scratch;
    FailureOr<ArrayRef<char>> bytes = WeightStore::bytes(root, scratch);
    int64_t rowBytes = b.count() * b.rowBytes(b.block);
    if (node.proto.op_type() == "GatherBlockQuantized")
      rowBytes = b.rowBytes(b.columns);
    if (failed(bytes) || int64_t(bytes->size()) / rowBytes != b.rows || bytes->size() % rowBytes)
      return node.invalid("the weight has " + std::to_string(failed(bytes) ? 0 : bytes->size()) +
                          " bytes, expected " + std::to_string(b.rows) + " x " +
                          std::to_string(rowBytes));
    Builder &builder = node.emit.builder;
    auto type =
        RankedTensorType::get({b.rows, b.columns}, elementType(builder.getContext(), OnnxUint8));
    MutableArrayRef<char> data;
    ElementsAttr value = WeightStore::allocate(type, nameOf(root), data);
    unpackRows(*bytes, b, b.columns, rowBytes, data);
    known = node.owner().entryConstant(nameOf(root), value);
  }
  codes = known;
  return Outcome::Ok;
}

/// Floats of a float constant of `count` elements; nullopt if it is not one.
static std::optional<std::vector<float>> constantFloats(Value value, int64_t count) {
  qir::ConstantOp root = rootConstant(value);
  SmallVector<char> scratch;
  if (!root)
    return std::nullopt;
  FailureOr<ArrayRef<char>> bytes = WeightStore::bytes(root, scratch);
  if (failed(bytes))
    return std::nullopt;
  Type element = elementOf(root.getResult());
  size_t width = element.getIntOrFloatBitWidth() / 8;
  if (!element.isF32() && !element.isF16() && !element.isBF16())
    return std::nullopt;
  if (bytes->size() != size_t(count) * width)
    return std::nullopt;
  std::vector<float> out(count);
  for (int64_t i = 0; i < count; ++i) {
    if (width == 4) {
      std::memcpy(&out[i], bytes->data() + i * 4, 4);
    } else {
      uint16_t half;
      std::memcpy(&half, bytes->data() + i * 2, 2);
      out[i] = element.isF16() ? qrt::f16ToF32(half) : qrt::bf16ToF32(half);
    }
  }
  return out;
}

/// Zero points, one per block, from packed rows or floats; empty: the default.
static Outcome readZeroPoints(Node &node, const Blocks &b, Value value, std::vector<float> &zeros) {
  if (!value)
    return Outcome::Ok;
  qir::ConstantOp root = rootConstant(value);
  if (!root)
    return node.unsupported("zero points that are not constant");
  int64_t count = b.rows * b.count();
  if (isa<FloatType>(elementOf(root.getResult()))) {
    std::optional<std::vector<float>> floats = constantFloats(value, count);
    if (!floats)
      return node.invalid("the zero points do not fit the weight");
    zeros = *floats;
    return Outcome::Ok;
  }
  SmallVector<char> scratch;
  FailureOr<ArrayRef<char>> bytes = WeightStore::bytes(root, scratch);
  int64_t rowBytes = b.rowBytes(b.count());
  if (failed(bytes) || int64_t(bytes->size()) != b.rows * rowBytes)
    return node.invalid("the zero points do not fit the weight");
  std::vector<char> flat(count);
  unpackRows(*bytes, b, b.count(), rowBytes, flat);
  for (char zero : flat)
    zeros.push_back(float(uint8_t(zero)));
  return Outcome::Ok;
}

namespace {
/// Codes, scales and zero points as the qir ops take them, or `weight` in floats.
struct GroupedWeight {
  Value codes, scales, zeros, weight;
  int64_t group = 0;
};
} // namespace

static Value floatConstant(Node &node, StringRef name, ArrayRef<int64_t> shape,
                           const std::vector<float> &values) {
  auto type = RankedTensorType::get(shape, node.emit.builder.getF32Type());
  ArrayRef<char> bytes(reinterpret_cast<const char *>(values.data()), values.size() * 4);
  return node.owner().entryConstant(name, WeightStore::insertCopy(type, name, bytes));
}

static Value halfConstant(Node &node, StringRef name, ArrayRef<int64_t> shape,
                          const std::vector<float> &values) {
  std::vector<uint16_t> halves;
  for (float value : values)
    halves.push_back(qrt::f32ToF16(value));
  auto type = RankedTensorType::get(shape, node.emit.builder.getF16Type());
  ArrayRef<char> bytes(reinterpret_cast<const char *>(halves.data()), halves.size() * 2);
  return node.owner().entryConstant(name, WeightStore::insertCopy(type, name, bytes));
}

static Outcome groupWeight(Node &node, const Blocks &b, Value packed, Value scaleValue,
                           Value zeroValue, GroupedWeight &out) {
  if (Outcome o = unpackCodes(node, b, packed, out.codes); o != Outcome::Ok)
    return o;
  int64_t groups = b.count();
  std::optional<std::vector<float>> scales = constantFloats(scaleValue, b.rows * groups);
  if (!scales)
    return node.invalid("the scales do not fit the weight, or are not constant floats");
  std::vector<float> zeros;
  if (Outcome o = readZeroPoints(node, b, zeroValue, zeros); o != Outcome::Ok)
    return o;
  bool wholeZeros = llvm::all_of(
      zeros, [&](float z) { return z >= 0 && z < float(1 << b.bits) && z == std::floor(z); });
  std::string name = nameOf(rootConstant(scaleValue)).str();
  bool oneGroup = groups == 1;
  if (!wholeZeros || (!oneGroup && b.block % 32) || (!oneGroup && b.block == 96)) {
    SmallVector<char> scratch;
    ArrayRef<char> codes = *WeightStore::bytes(out.codes.getDefiningOp<qir::ConstantOp>(), scratch);
    std::vector<float> weight(size_t(b.rows * b.columns));
    for (int64_t i = 0; i < b.rows * b.columns; ++i) {
      int64_t at = i / b.columns * groups + i % b.columns / b.block;
      float zero = zeros.empty() ? float(1 << (b.bits - 1)) : zeros[at];
      weight[i] = (float(uint8_t(codes[i])) - zero) * (*scales)[at];
    }
    out.weight = floatConstant(node, nameOf(rootConstant(packed)), {b.rows, b.columns}, weight);
    return Outcome::Ok;
  }
  out.group = oneGroup ? 0 : std::min<int64_t>(b.block, 128);
  int64_t repeat = oneGroup ? 1 : b.block / out.group;
  int64_t finer = oneGroup ? 1 : (b.columns + out.group - 1) / out.group;
  std::vector<float> allScales;
  std::vector<char> allZeros;
  for (int64_t row = 0; row < b.rows; ++row)
    for (int64_t g = 0; g < finer; ++g) {
      allScales.push_back((*scales)[row * groups + g / repeat]);
      if (!zeros.empty())
        allZeros.push_back(char(uint8_t(zeros[row * groups + g / repeat])));
    }
  bool fitsHalf =
      llvm::all_of(allScales, [](float s) { return qrt::f16ToF32(qrt::f32ToF16(s)) == s; });
  out.scales = fitsHalf ? halfConstant(node, name, {b.rows, finer}, allScales)
                        : floatConstant(node, name, {b.rows, finer}, allScales);
  if (!zeros.empty()) {
    auto type = RankedTensorType::get({b.rows, finer}, elementType(node.emit.context(), OnnxUint8));
    std::string zeroName = nameOf(rootConstant(zeroValue)).str();
    out.zeros =
        node.owner().entryConstant(zeroName, WeightStore::insertCopy(type, zeroName, allZeros));
  }
  return Outcome::Ok;
}

static Outcome checkBlocks(Node &node, const Blocks &b) {
  if (b.bits != 2 && b.bits != 4 && b.bits != 8)
    return node.unsupported("bits = " + std::to_string(b.bits));
  constexpr int64_t most = int64_t(1) << 31;
  if (b.rows < 1 || b.columns < 1 || b.rows > most || b.columns > most)
    return node.invalid("the weight has no rows or columns");
  if (b.block < 16 || b.block > most || (b.block & (b.block - 1)))
    return node.invalid("block_size is not a power of two from 16 on");
  return Outcome::Ok;
}

static Outcome importMatMulNBits(Node &node) {
  Emitter &e = node.emit;
  Blocks b{node.integer("N", 0), node.integer("K", 0), node.integer("bits", 4),
           node.integer("block_size", 0)};
  if (Outcome o = checkBlocks(node, b); o != Outcome::Ok)
    return o;
  if (node.integer("weight_prepacked", 0))
    return node.unsupported("weight_prepacked");
  if (node.in(4)) {
    std::optional<Ints> order = constantInts(node.in(4));
    bool identity = bool(order);
    for (size_t k = 0; identity && k < order->size(); ++k)
      identity = (*order)[k] == int64_t(k) / b.block;
    if (!identity)
      return node.unsupported("g_idx");
  }
  Value x = node.in(0), bias = node.in(5);
  GroupedWeight w;
  if (Outcome o = groupWeight(node, b, node.in(1), node.in(2), node.in(3), w); o != Outcome::Ok)
    return o;
  Shape shape = shapeOf(x);
  if (shape && shape->empty())
    return node.invalid("the input is a scalar");
  if (shape)
    shape->back() = b.rows;
  TensorType type = tensorOf(shape, elementOf(x));
  if (w.weight)
    return node.done(qir::LinearOp::create(e.builder, e.loc, type, x, w.weight, bias,
                                           qir::SchemeAttr(), StringAttr()));
  OperationState state(e.loc, qir::QuantizedLinearOp::getOperationName());
  qir::QuantizedLinearOp::build(e.builder, state, type, x, w.codes, w.scales, w.zeros, bias,
                                Value(), uint64_t(b.bits), uint64_t(w.group), "a16");
  return node.done(e.builder.create(state)->getResult(0));
}

/// (data, ids, scales, zero_points?): rows of packed codes chosen by ids.
static Outcome importGatherBlockQuantized(Node &node) {
  Emitter &e = node.emit;
  qir::ConstantOp root = rootConstant(node.in(0));
  int64_t rank = rankOf(node.in(0)), quantized = node.integer("quantize_axis", 1);
  if (!root || rank != 2 || node.integer("gather_axis", 0) != 0 ||
      (quantized != 1 && quantized != -1))
    return node.unsupported("a table that is not a constant matrix quantized along its rows");
  if (!elementOf(node.in(0)).isUnsignedInteger(8))
    return node.unsupported("a table that is not UINT8");
  int64_t bits = node.integer("bits", 4), block = node.integer("block_size", 128);
  Blocks b{dimOf(node.in(0), 0), 0, bits, block};
  if (bits != 2 && bits != 4 && bits != 8)
    return node.unsupported("bits = " + std::to_string(bits));
  if (dimOf(node.in(0), 0) == dynamicDim || dimOf(node.in(0), 1) == dynamicDim)
    return node.unsupported("a table of unknown shape");
  b.columns = dimOf(node.in(0), 1) * (8 / bits);
  if (Outcome o = checkBlocks(node, b); o != Outcome::Ok)
    return o;
  GroupedWeight w;
  if (Outcome o = groupWeight(node, b, node.in(0), node.in(2), node.in(3), w); o != Outcome::Ok)
    return o;
  Shape shape = shapeOf(node.in(1));
  if (shape)
    shape->push_back(b.columns);
  Type element = elementOf(node.in(2));
  if (w.weight)
    return node.done(e.cast(e.gather(w.weight, node.in(1), 0), element));
  OperationState state(e.loc, qir::QuantizedEmbeddingOp::getOperationName());
  qir::QuantizedEmbeddingOp::build(e.builder, state, tensorOf(shape, element), w.codes, w.scales,
                                   w.zeros, node.in(1), uint64_t(b.bits), uint64_t(w.group),
                                   uint64_t(0));
  return node.done(e.builder.create(state)->getResult(0));
}

ArrayRef<OpRow> blockQuantizedOps() {
  static const OpRow rows[] = {
      {"com.microsoft", "MatMulNBits", 1, 3, 6, 1, importMatMulNBits},
      {"com.microsoft", "GatherBlockQuantized", 1, 3, 4, 1, importGatherBlockQuantized},
  };
  return rows;
}

} // namespace qopt
