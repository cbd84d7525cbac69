//===- WeightMatching.cpp - A weight behind transposes, casts and dequantization --------------===//
#include "WeightMatching.h"

#include "ScalarConstants.h"

#include "qopt/Support/WeightStore.h"

#include <algorithm>
#include <cstring>

using namespace mlir;

namespace qopt::qir::raise {

std::optional<WeightSource> matchWeight(Value value) {
  WeightSource source;
  while (Operation *op = value.getDefiningOp()) {
    if (auto constant = dyn_cast<ConstantOp>(op)) {
      auto type = cast<RankedTensorType>(constant.getType());
      bool isFloat = isa<FloatType>(type.getElementType());
      if (type.getRank() != 2 || isFloat == static_cast<bool>(source.dequantize))
        return std::nullopt;
      source.constant = constant;
      return source;
    }
    if (auto transpose = dyn_cast<TransposeOp>(op)) {
      if (transpose.getPerm() != ArrayRef<int64_t>{1, 0})
        return std::nullopt;
      source.transposed = !source.transposed;
    } else if (auto dequantize = dyn_cast<DequantizeLinearOp>(op)) {
      if (source.dequantize || !dequantize.getScale().getDefiningOp<ConstantOp>() ||
          (dequantize.getZeroPoint() && !dequantize.getZeroPoint().getDefiningOp<ConstantOp>()))
        return std::nullopt;
      source.dequantize = dequantize;
    } else if (isa<CastOp, IdentityOp>(op)) {
      if (skipCasts(value) == value)
        return std::nullopt; // from integers
    } else {
      return std::nullopt;
    }
    value = op->getOperand(0);
  }
  return std::nullopt;
}

/// dst[c, r] = src[r, c], in blocks that stay in the cache.
template <typename T>
static void transposeBytes(const char *src, char *dst, int64_t rows, int64_t columns) {
  constexpr int64_t block = 32;
  for (int64_t r0 = 0; r0 < rows; r0 += block)
    for (int64_t c0 = 0; c0 < columns; c0 += block)
      for (int64_t r = r0; r < std::min(rows, r0 + block); ++r)
        for (int64_t c = c0; c < std::min(columns, c0 + block); ++c)
          std::memcpy(dst + (c * rows + r) * sizeof(T), src + (r * columns + c) * sizeof(T),
                      sizeof(T));
}

Value turnedConstant(OpBuilder &builder, ConstantOp constant, bool turn) {
  if (!turn)
    return constant;
  if (Operation *next = constant->getNextNode())
    if (auto turned = dyn_cast<ConstantOp>(next))
      if (turned->hasAttr("qir.transposed") && turned.getLoc() == constant.getLoc() &&
          !constant->hasAttr("qir.transposed"))
        return turned;
  auto type = cast<RankedTensorType>(constant.getType());
  int64_t rows = type.getDimSize(0), columns = type.getDimSize(1);
  SmallVector<char> scratch;
  FailureOr<ArrayRef<char>> bytes = WeightStore::bytes(constant, scratch);
  if (failed(bytes))
    return {};
  auto turnedType = RankedTensorType::get({columns, rows}, type.getElementType());
  MutableArrayRef<char> data;
  std::string name = "turned";
  if (auto loc = dyn_cast<NameLoc>(constant.getLoc()))
    name = loc.getName().str();
  ElementsAttr value;
  SmallVector<char> small;
  if (type.getNumElements() <= 64) {
    small.resize(bytes->size());
    data = small;
  } else {
    value = WeightStore::allocate(turnedType, name, data);
    if (!value)
      return {};
  }
  switch (type.getElementTypeBitWidth()) {
  case 8:
    transposeBytes<uint8_t>(bytes->data(), data.data(), rows, columns);
    break;
  case 16:
    transposeBytes<uint16_t>(bytes->data(), data.data(), rows, columns);
    break;
  case 32:
    transposeBytes<uint32_t>(bytes->data(), data.data(), rows, columns);
    break;
  case 64:
    transposeBytes<uint64_t>(bytes->data(), data.data(), rows, columns);
    break;
  default:
    return {};
  }
  if (!value)
    value = WeightStore::insertCopy(turnedType, name, small);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointAfter(constant);
  auto turned = ConstantOp::create(builder, constant.getLoc(), turnedType, value);
  // Turning what was turned gives the initializer's own orientation back.
  if (!constant->hasAttr("qir.transposed"))
    turned->setAttr("qir.transposed", builder.getUnitAttr());
  return turned;
}

/// The elements of a small-integer or floating-point constant.
static std::optional<std::vector<double>> elementsOf(Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  auto type = cast<RankedTensorType>(constant.getType());
  SmallVector<char> scratch;
  FailureOr<ArrayRef<char>> bytes = WeightStore::bytes(constant, scratch);
  if (failed(bytes))
    return std::nullopt;
  std::vector<double> result(type.getNumElements());
  Type element = type.getElementType();
  for (size_t i = 0; i < result.size(); ++i) {
    if (element.isInteger(8)) {
      uint8_t raw = (*bytes)[i];
      result[i] = element.isUnsignedInteger(8) ? raw : static_cast<int8_t>(raw);
    } else if (element.isF32()) {
      float raw;
      std::memcpy(&raw, bytes->data() + 4 * i, 4);
      result[i] = raw;
    } else if (element.isF16() || element.isBF16()) {
      uint16_t raw;
      std::memcpy(&raw, bytes->data() + 2 * i, 2);
      APFloat number(element.isF16() ? APFloat::IEEEhalf() : APFloat::BFloat(), APInt(16, raw));
      result[i] = number.convertToDouble();
    } else {
      return std::nullopt;
    }
  }
  return result;
}

std::optional<QuantizedWeight> quantizedWeight(OpBuilder &builder, const WeightSource &source,
                                               bool rowsAreOutputs) {
  DequantizeLinearOp dequantize = source.dequantize;
  ConstantOp constant = source.constant;
  auto type = cast<RankedTensorType>(constant.getType());
  bool isSigned = type.getElementType().isSignlessInteger(8);
  if (!dequantize || dequantize.getX() != constant.getResult() ||
      (!isSigned && !type.getElementType().isUnsignedInteger(8)))
    return std::nullopt;
  int64_t kAxis = rowsAreOutputs != source.transposed ? 1 : 0;
  int64_t n = type.getDimSize(1 - kAxis), k = type.getDimSize(kAxis);
  int64_t axis = static_cast<int64_t>(dequantize.getAxis()); // the accessor is unsigned
  axis += axis < 0 ? 2 : 0;
  int64_t group = dequantize.getBlockSize();
  auto scaleType = cast<RankedTensorType>(dequantize.getScale().getType());
  bool perTensor = scaleType.getNumElements() == 1 && group == 0;
  if (group != 0 ? axis != kAxis : (!perTensor && axis != 1 - kAxis))
    return std::nullopt;
  if (group >= k)
    group = 0; // one group is the whole row
  if (group != 0 && group != 32 && group != 64 && group != 128)
    return std::nullopt;
  int64_t groups = group == 0 ? 1 : (k + group - 1) / group;
  auto codes = elementsOf(constant), scales = elementsOf(dequantize.getScale());
  auto zeros = dequantize.getZeroPoint() ? elementsOf(dequantize.getZeroPoint())
                                         : std::optional(std::vector<double>());
  if (!codes || !scales || !zeros)
    return std::nullopt;
  int64_t wanted = perTensor ? 1 : n * groups;
  if (static_cast<int64_t>(scales->size()) != wanted ||
      (!zeros->empty() && static_cast<int64_t>(zeros->size()) != wanted))
    return std::nullopt;

  // The fewest bits that hold codes and zero points.
  auto fits = [&](int64_t bits) {
    double low = isSigned ? -(1 << (bits - 1)) : 0, high = low + (1 << bits) - 1;
    auto inside = [&](double v) { return v >= low && v <= high; };
    return llvm::all_of(*codes, inside) && llvm::all_of(*zeros, inside);
  };
  QuantizedWeight result;
  result.bits = fits(2) ? 2 : fits(4) ? 4 : 8;
  result.groupSize = group;
  double half = 1 << (result.bits - 1), shift = isSigned ? half : 0;
  if (zeros->empty())
    zeros->assign(wanted, 0);

  SmallVector<char> codeBytes(n * k), zeroBytes(n * groups);
  std::vector<float> scaleValues(n * groups);
  bool symmetric = true;
  for (int64_t row = 0; row < n; ++row) {
    for (int64_t column = 0; column < k; ++column)
      codeBytes[row * k + column] = static_cast<char>(
          static_cast<uint8_t>((*codes)[kAxis == 1 ? row * k + column : column * n + row] + shift));
    for (int64_t g = 0; g < groups; ++g) {
      int64_t from = perTensor ? 0 : (kAxis == 1 ? row * groups + g : g * n + row);
      scaleValues[row * groups + g] = static_cast<float>((*scales)[from]);
      double zero = (*zeros)[from] + shift;
      zeroBytes[row * groups + g] = static_cast<char>(static_cast<uint8_t>(zero));
      symmetric &= zero == half;
    }
  }
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointAfter(dequantize);
  MLIRContext *context = builder.getContext();
  auto ui8 = IntegerType::get(context, 8, IntegerType::Unsigned);
  auto make = [&](RankedTensorType t, Location loc, ArrayRef<char> bytes) -> Value {
    return ConstantOp::create(builder, loc, t, WeightStore::insertCopy(t, "quantized", bytes));
  };
  auto codeConstant = make(RankedTensorType::get({n, k}, ui8), constant.getLoc(), codeBytes);
  if (kAxis == 0)
    codeConstant.getDefiningOp()->setAttr("qir.transposed", builder.getUnitAttr());
  result.codes = codeConstant;
  result.scales =
      make(RankedTensorType::get({n, groups}, builder.getF32Type()), dequantize.getScale().getLoc(),
           ArrayRef<char>(reinterpret_cast<const char *>(scaleValues.data()),
                          scaleValues.size() * sizeof(float)));
  if (!symmetric)
    result.zeroPoints =
        make(RankedTensorType::get({n, groups}, ui8),
             dequantize.getZeroPoint() ? dequantize.getZeroPoint().getLoc() : dequantize.getLoc(),
             zeroBytes);
  return result;
}

} // namespace qopt::qir::raise
