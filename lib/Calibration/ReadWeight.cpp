//===- ReadWeight.cpp - Weights of a graph as f32 matrices -----------------------------------===//
#include "ForwardOps.h"

#include "qopt/Dialect/QIR/IR/Outliers.h"
#include "qopt/Support/FloatElements.h"
#include "qopt/Support/WeightStore.h"
#include "qrt/Half.h"

#include <cstring>
#include <new>
#include <optional>

using namespace mlir;

namespace qopt::calibration {

bool readWeight(Value weight, WeightMatrix &out) {
  auto constant = weight.getDefiningOp<qir::ConstantOp>();
  auto type = dyn_cast<RankedTensorType>(weight.getType());
  if (!constant || !type || type.getRank() != 2)
    return false;
  FailureOr<std::vector<float>> floats = readFloats(constant.getValue());
  if (failed(floats))
    return false;
  out = {type.getDimSize(0), type.getDimSize(1), std::move(*floats)};
  return true;
}

namespace {
/// Codes in place, scales widened.
struct CodedMatrix {
  int64_t n = 0, k = 0, group = 0, groups = 0;
  const uint8_t *codes = nullptr, *zeros = nullptr;
  int middle = 0; ///< the zero point where there are none
  std::vector<float> scales;

  bool read(Value codesValue, Value scalesValue, Value zeroPoints, int64_t bits,
            int64_t groupSize) {
    auto codesOp = codesValue.getDefiningOp<qir::ConstantOp>();
    auto scalesOp = scalesValue.getDefiningOp<qir::ConstantOp>();
    auto zerosOp = zeroPoints ? zeroPoints.getDefiningOp<qir::ConstantOp>() : qir::ConstantOp();
    auto type = dyn_cast<RankedTensorType>(codesValue.getType());
    if (!codesOp || !scalesOp || (zeroPoints && !zerosOp) || !type || type.getRank() != 2)
      return false;
    FailureOr<ArrayRef<char>> codeBytes = WeightStore::bytes(codesOp, codeScratch);
    FailureOr<std::vector<float>> floats = readFloats(scalesOp.getValue());
    FailureOr<ArrayRef<char>> zeroBytes = ArrayRef<char>();
    if (zerosOp)
      zeroBytes = WeightStore::bytes(zerosOp, zeroScratch);
    if (failed(codeBytes) || failed(floats) || failed(zeroBytes))
      return false;
    n = type.getDimSize(0);
    k = type.getDimSize(1);
    group = groupSize ? groupSize : k;
    groups = (k + group - 1) / group;
    codes = reinterpret_cast<const uint8_t *>(codeBytes->data());
    zeros = zerosOp ? reinterpret_cast<const uint8_t *>(zeroBytes->data()) : nullptr;
    middle = 1 << (bits - 1);
    scales = std::move(*floats);
    return true;
  }

  void decodeRow(int64_t row, float *values) const {
    for (int64_t g = 0; g < groups; ++g) {
      const int zero = zeros ? zeros[row * groups + g] : middle;
      const float scale = scales[row * groups + g];
      for (int64_t i = g * group, end = std::min(k, i + group); i < end; ++i)
        values[i] = static_cast<float>(codes[row * k + i] - zero) * scale;
    }
  }

private:
  SmallVector<char> codeScratch, zeroScratch;
};
} // namespace

bool readCodes(Value codes, Value scales, Value zeroPoints, int64_t bits, int64_t groupSize,
               WeightMatrix &out) {
  CodedMatrix coded;
  if (!coded.read(codes, scales, zeroPoints, bits, groupSize))
    return false;
  out = {coded.n, coded.k, std::vector<float>(coded.n * coded.k)};
  for (int64_t row = 0; row < coded.n; ++row)
    coded.decodeRow(row, out.values.data() + row * coded.k);
  return true;
}

static std::optional<qrt::kernels::WeightFormat> formatOf(int64_t bits) {
  using qrt::kernels::WeightFormat;
  switch (bits) {
  case 8:
    return WeightFormat::U8;
  case 4:
    return WeightFormat::U4;
  case 3:
    return WeightFormat::U3;
  case 2:
    return WeightFormat::U2;
  default:
    return std::nullopt;
  }
}

std::shared_ptr<PackedCodes> packCodes(qir::QuantizedLinearOp op) {
  CodedMatrix coded;
  const auto format = formatOf(op.getBits());
  if (!format || !coded.read(op.getCodes(), op.getScales(), op.getZeroPoints(), op.getBits(),
                             op.getGroupSize()))
    return nullptr;
  auto packed = std::make_shared<PackedCodes>();
  qrt::kernels::WeightDesc &desc = packed->view.desc;
  desc = {*format,      coded.n,
          coded.k,      static_cast<int32_t>(op.getGroupSize()),
          !coded.zeros, qrt::kernels::ScaleType::F32};
  qrt::Result<qrt::kernels::PackedSizes> sizes = qrt::kernels::packedSizes(desc);
  if (!sizes)
    return nullptr;
  auto aligned = [](size_t bytes) { return (bytes + 63) / 64 * 64; };
  const size_t data = aligned(sizes->data), scales = aligned(sizes->scales);
  packed->memory.reset(static_cast<std::byte *>(
      std::aligned_alloc(64, data + scales + aligned(sizes->zeroPoints) + 64)));
  if (!packed->memory)
    throw std::bad_alloc();
  std::byte *at = packed->memory.get();
  auto *zeros = reinterpret_cast<uint8_t *>(at + data + scales);
  qrt::kernels::packQuantized(desc, coded.codes, coded.scales.data(), coded.zeros, at, at + data,
                              coded.zeros ? zeros : nullptr);
  packed->view.data = at;
  packed->view.scales = at + data;
  packed->view.zeroPoints = coded.zeros ? zeros : nullptr;
  return packed;
}

bool addOutliers(Operation *linear, WeightMatrix &weight) {
  std::optional<qir::OutlierElements> elements = qir::outliersOf(linear);
  if (!elements)
    return true;
  SmallVector<char> scratch[3];
  ArrayRef<char> bytes[3];
  ElementsAttr parts[] = {elements->rows, elements->columns, elements->values};
  for (int part = 0; part < 3; ++part) {
    FailureOr<ArrayRef<char>> read = WeightStore::bytes(parts[part], scratch[part]);
    if (failed(read))
      return false;
    bytes[part] = *read;
  }
  const auto *rows = reinterpret_cast<const int32_t *>(bytes[0].data());
  const auto *columns = reinterpret_cast<const uint16_t *>(bytes[1].data());
  const auto *values = reinterpret_cast<const uint16_t *>(bytes[2].data());
  const int64_t count = elements->values.getNumElements();
  for (int64_t row = 0; row < weight.n; ++row) {
    if (rows[row] < 0 || rows[row + 1] > count)
      return false;
    for (int32_t e = rows[row]; e < rows[row + 1]; ++e) {
      if (columns[e] >= weight.k)
        return false;
      weight.values[row * weight.k + columns[e]] += qrt::f16ToF32(values[e]);
    }
  }
  return true;
}

static bool readFloatTable(qir::EmbeddingOp op, TableRows &out) {
  auto constant = op.getTable().getDefiningOp<qir::ConstantOp>();
  auto type = cast<RankedTensorType>(op.getTable().getType());
  auto scratch = std::make_shared<SmallVector<char>>();
  FailureOr<ArrayRef<char>> bytes = failure();
  if (constant)
    bytes = WeightStore::bytes(constant, *scratch);
  if (failed(bytes))
    return false;
  Type element = type.getElementType();
  const int64_t k = type.getDimSize(1), rowBytes = k * (element.getIntOrFloatBitWidth() / 8);
  out.n = type.getDimSize(0);
  out.k = k;
  out.read = [=, data = bytes->data(), keep = scratch](int64_t row, float *values) {
    convertToFloat(element, data + row * rowBytes, k, values);
  };
  return true;
}

bool readTable(Operation *embedding, TableRows &out) {
  if (auto op = dyn_cast<qir::EmbeddingOp>(embedding))
    return readFloatTable(op, out);
  auto op = cast<qir::QuantizedEmbeddingOp>(embedding);
  auto parts = std::make_shared<CodedMatrix>();
  if (!parts->read(op.getCodes(), op.getScales(), op.getZeroPoints(), op.getBits(),
                   op.getGroupSize()))
    return false;
  out.n = parts->n;
  out.k = parts->k;
  out.read = [parts](int64_t row, float *values) { parts->decodeRow(row, values); };
  return true;
}

} // namespace qopt::calibration
