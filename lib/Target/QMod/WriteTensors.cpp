//===- WriteTensors.cpp - Stored tensors into the weights section ----------------------------===//
// Layouts are the kernels' business: packDense and packQuantized are called here and nowhere else
// in the compiler. Float matrices are converted a few rows at a time, so that a bf16 table of a
// large vocabulary never exists twice in f32.
#include "qopt/Target/QMod.h"

#include "qopt/Dialect/QIR/IR/OperandSlots.h"

#include "qopt/Support/FloatElements.h"
#include "qopt/Support/WeightStore.h"

#include "kernels/cpu/linear/linear.h"
#include "kernels/cuda/layout/StoredWeights.h"

#include <algorithm>
#include <limits>

using namespace mlir;
using qrt::kernels::WeightFormat;

namespace qopt {

static std::string quoted(StringRef name) { return ("tensor '" + name + "'").str(); }

static std::vector<qrt::SourceName> readSources(ArrayAttr sources) {
  std::vector<qrt::SourceName> result;
  for (auto entry : sources.getAsRange<DictionaryAttr>()) {
    auto name = entry.getAs<StringAttr>("name");
    auto transposed = entry.getAs<BoolAttr>("transposed");
    if (name)
      result.push_back({name.str(), transposed && transposed.getValue()});
  }
  return result;
}

static WeightFormat weightFormat(StringRef format) {
  static constexpr std::pair<StringLiteral, WeightFormat> formats[] = {
      {"f32", WeightFormat::F32}, {"f16", WeightFormat::F16}, {"bf16", WeightFormat::BF16},
      {"u8", WeightFormat::U8},   {"u4", WeightFormat::U4},   {"u3", WeightFormat::U3},
      {"u2", WeightFormat::U2}};
  for (auto [name, value] : formats)
    if (name == format)
      return value;
  llvm_unreachable("the verifier of qexec.weight knows all formats");
}

static qrt::Result<ArrayRef<char>> readBytes(ElementsAttr value, StringRef name,
                                             SmallVectorImpl<char> &scratch) {
  FailureOr<ArrayRef<char>> bytes = WeightStore::bytes(value, scratch);
  if (failed(bytes))
    return qrt::internalError(quoted(name) + ": its bytes were released or do not fit its type");
  return *bytes;
}

/// Packs float rows in blocks: rows of the dense layout are independent of each other.
static qrt::Status packDenseRows(qexec::WeightOp op, const qrt::kernels::WeightDesc &desc,
                                 size_t packedBytes, std::vector<char> &packed) {
  constexpr int64_t rowsAtOnce = 256;
  SmallVector<char> scratch;
  QRT_ASSIGN_OR_RETURN(ArrayRef<char> bytes, readBytes(op.getValue(), op.getName(), scratch));
  Type element = op.getValue().getElementType();
  const size_t elementBytes = element.getIntOrFloatBitWidth() / 8;
  const size_t rowBytes = packedBytes / desc.n;
  packed.resize(packedBytes);
  std::vector<float> floats(std::min(rowsAtOnce, desc.n) * desc.k);
  for (int64_t row = 0; row < desc.n; row += rowsAtOnce) {
    qrt::kernels::WeightDesc block = desc;
    block.n = std::min(rowsAtOnce, desc.n - row);
    if (!convertToFloat(element, bytes.data() + row * desc.k * elementBytes, block.n * desc.k,
                        floats.data()))
      return qrt::internalError(quoted(op.getName()) + ": not a float matrix");
    qrt::kernels::packDense(block, floats.data(), packed.data() + row * rowBytes);
  }
  return qrt::Status::ok();
}

/// The data stream in the order that the entry says.
static void reorder(const qrt::TensorEntry &entry, std::vector<char> &data) {
  if (!entry.fragments)
    return;
  std::vector<char> fragments(qrt::cuda::storedFragmentBytes(entry.weight));
  qrt::cuda::storeAsFragments(entry.weight, data.data(), fragments.data());
  data = std::move(fragments);
}

static qrt::Result<int32_t> addDense(qexec::WeightOp op, qrt::TensorEntry &entry,
                                     const qrt::kernels::PackedSizes &sizes,
                                     qrt::QmodWriter &writer) {
  std::vector<char> packed;
  QRT_RETURN_IF_ERROR(packDenseRows(op, entry.weight, sizes.data, packed));
  reorder(entry, packed);
  return writer.addTensor(entry, packed.data());
}

static qrt::Result<int32_t> addCodes(qexec::WeightOp op, qrt::TensorEntry &entry,
                                     const qrt::kernels::PackedSizes &sizes,
                                     qrt::QmodWriter &writer) {
  SmallVector<char> codeScratch, zeroScratch;
  QRT_ASSIGN_OR_RETURN(ArrayRef<char> codes, readBytes(op.getValue(), op.getName(), codeScratch));
  FailureOr<std::vector<float>> scales = readFloats(*op.getScales());
  if (failed(scales))
    return qrt::internalError(quoted(op.getName()) + ": its scales cannot be read");
  const uint8_t *zeroPoints = nullptr;
  if (op.getZeroPoints()) {
    QRT_ASSIGN_OR_RETURN(ArrayRef<char> bytes,
                         readBytes(*op.getZeroPoints(), op.getName(), zeroScratch));
    zeroPoints = reinterpret_cast<const uint8_t *>(bytes.data());
  }
  uint8_t largest = 0; // a loop that leaves early would not be vectorised
  for (char code : codes)
    largest = std::max(largest, static_cast<uint8_t>(code));
  if (largest >= 1 << qrt::kernels::weightBits(entry.weight.format))
    return qrt::internalError(quoted(op.getName()) + ": a code of " + std::to_string(largest) +
                              " does not fit " + op.getFormat().str());
  std::vector<char> data(sizes.data), packedScales(sizes.scales), packedZeros(sizes.zeroPoints);
  qrt::kernels::packQuantized(entry.weight, reinterpret_cast<const uint8_t *>(codes.data()),
                              scales->data(), zeroPoints, data.data(), packedScales.data(),
                              zeroPoints ? reinterpret_cast<uint8_t *>(packedZeros.data())
                                         : nullptr);
  reorder(entry, data);
  return writer.addTensor(entry, data.data(), packedScales.data(),
                          zeroPoints ? packedZeros.data() : nullptr);
}

qrt::Result<qrt::TensorEntry> describeWeight(qexec::WeightOp op, bool fragments) {
  auto matrix = cast<qexec::WeightType>(op.getType());
  qrt::TensorEntry entry;
  entry.name = op.getName().str();
  entry.sources = readSources(op.getSources());
  entry.shape = {matrix.getN(), matrix.getK()};
  entry.packed = true;
  entry.weight.format = weightFormat(op.getFormat());
  entry.weight.n = matrix.getN();
  entry.weight.k = matrix.getK();
  entry.weight.groupSize = static_cast<int32_t>(op.getGroupSize());
  entry.weight.symmetric = !op.getZeroPoints();
  if (op.getScales() && op.getScales()->getElementType().isF32())
    entry.weight.scaleType = qrt::kernels::ScaleType::F32;
  entry.scheme = op.getScheme().value_or(op.getFormat()).str();
  if (op.getRmsError())
    entry.rmsError = op.getRmsError()->convertToDouble();
  QRT_ASSIGN_OR_RETURN(qrt::kernels::PackedSizes sizes, qrt::kernels::packedSizes(entry.weight));
  entry.fragments = fragments && entry.weight.format != WeightFormat::F32;
  entry.dataBytes =
      entry.fragments ? qrt::cuda::storedFragmentBytes(entry.weight) : int64_t(sizes.data);
  entry.scalesBytes = sizes.scales;
  entry.zeroPointsBytes = sizes.zeroPoints;
  return entry;
}

qrt::Result<qrt::TensorEntry> writeWeight(qexec::WeightOp op, qrt::QmodWriter &writer,
                                          bool fragments) {
  QRT_ASSIGN_OR_RETURN(qrt::TensorEntry entry, describeWeight(op, fragments));
  QRT_ASSIGN_OR_RETURN(qrt::kernels::PackedSizes sizes, qrt::kernels::packedSizes(entry.weight));
  auto add = op.getScales() ? addCodes : addDense;
  QRT_ASSIGN_OR_RETURN([[maybe_unused]] int32_t index, add(op, entry, sizes, writer));
  return entry;
}

qrt::Result<qrt::TensorEntry> describeTensor(qexec::TensorOp op) {
  auto type = cast<RankedTensorType>(op.getType());
  std::optional<qrt::DType> dtype =
      qrt::dtypeFromName(std::string_view(qir::elementTypeName(type.getElementType())));
  if (!dtype)
    return qrt::unsupported(quoted(op.getName()) + ": element type cannot be stored");
  FailureOr<size_t> size = WeightStore::byteSize(type);
  if (failed(size))
    return qrt::internalError(quoted(op.getName()) + ": its shape is not static");
  qrt::TensorEntry entry;
  entry.name = op.getName().str();
  entry.sources = readSources(op.getSources());
  entry.shape.assign(type.getShape().begin(), type.getShape().end());
  entry.dtype = *dtype;
  entry.scheme = std::string(qrt::name(*dtype));
  entry.dataBytes = *size;
  return entry;
}

qrt::Result<qrt::TensorEntry> writeTensor(qexec::TensorOp op, qrt::QmodWriter &writer) {
  QRT_ASSIGN_OR_RETURN(qrt::TensorEntry entry, describeTensor(op));
  SmallVector<char> scratch;
  QRT_ASSIGN_OR_RETURN(ArrayRef<char> bytes, readBytes(op.getValue(), op.getName(), scratch));
  QRT_ASSIGN_OR_RETURN([[maybe_unused]] int32_t index, writer.addTensor(entry, bytes.data()));
  return entry;
}

} // namespace qopt
