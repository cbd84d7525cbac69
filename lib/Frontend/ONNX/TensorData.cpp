//===- TensorData.cpp - ONNX tensors as MLIR constants ----------------------------------------===//
// raw_data and external data are little-endian bytes; the typed fields hold one element per entry,
// or, below 8 bits, as many as fit into 8 bits.
#include "TensorData.h"

#include "qopt/Support/WeightStore.h"

#include "mlir/IR/BuiltinTypes.h"

#include <cstring>

using namespace mlir;
using qrt::Result;

namespace qopt {

Type elementType(MLIRContext *context, int onnxType) {
  auto integer = [&](unsigned bits, bool isUnsigned) -> Type {
    return IntegerType::get(context, bits,
                            isUnsigned ? IntegerType::Unsigned : IntegerType::Signless);
  };
  switch (onnxType) {
  case OnnxFloat:
    return Float32Type::get(context);
  case OnnxFloat16:
    return Float16Type::get(context);
  case OnnxBFloat16:
    return BFloat16Type::get(context);
  case OnnxDouble:
    return Float64Type::get(context);
  case OnnxInt64:
    return integer(64, false);
  case OnnxInt32:
    return integer(32, false);
  case OnnxInt16:
    return integer(16, false);
  case OnnxInt8:
  case OnnxInt4:
  case OnnxInt2:
    return integer(8, false);
  case OnnxUint64:
    return integer(64, true);
  case OnnxUint32:
    return integer(32, true);
  case OnnxUint16:
    return integer(16, true);
  case OnnxUint8:
  case OnnxUint4:
  case OnnxUint2:
    return integer(8, true);
  case OnnxBool:
    return integer(1, false);
  default:
    return {};
  }
}

std::string onnxTypeName(int onnxType) {
  static const char *const names[] = {
      "UNDEFINED",      "FLOAT",    "UINT8",        "INT8",           "UINT16",
      "INT16",          "INT32",    "INT64",        "STRING",         "BOOL",
      "FLOAT16",        "DOUBLE",   "UINT32",       "UINT64",         "COMPLEX64",
      "COMPLEX128",     "BFLOAT16", "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2",
      "FLOAT8E5M2FNUZ", "UINT4",    "INT4",         "FLOAT4E2M1",     "FLOAT8E8M0",
      "UINT2",          "INT2"};
  if (onnxType >= 0 && onnxType < int(std::size(names)))
    return names[onnxType];
  return "type number " + std::to_string(onnxType);
}

int storedBits(int onnxType) {
  switch (onnxType) {
  case OnnxInt4:
  case OnnxUint4:
    return 4;
  case OnnxInt2:
  case OnnxUint2:
    return 2;
  case OnnxBool:
  case OnnxInt8:
  case OnnxUint8:
    return 8;
  case OnnxFloat16:
  case OnnxBFloat16:
  case OnnxInt16:
  case OnnxUint16:
    return 16;
  case OnnxInt64:
  case OnnxUint64:
  case OnnxDouble:
    return 64;
  default:
    return 32;
  }
}

/// Copies the low `bytes` bytes of every entry.
template <class Field>
static std::string narrowed(const Field &entries, size_t bytes) {
  std::string out;
  out.reserve(size_t(entries.size()) * bytes);
  for (auto entry : entries)
    out.append(reinterpret_cast<const char *>(&entry), bytes);
  return out;
}

/// The typed field of the element type as little-endian bytes, as raw_data would hold them.
static std::string typedBytes(const onnx_ir::TensorProto &tensor) {
  switch (tensor.data_type()) {
  case OnnxFloat:
    return narrowed(tensor.float_data(), 4);
  case OnnxDouble:
    return narrowed(tensor.double_data(), 8);
  case OnnxInt64:
    return narrowed(tensor.int64_data(), 8);
  case OnnxUint64:
    return narrowed(tensor.uint64_data(), 8);
  case OnnxUint32:
    return narrowed(tensor.uint64_data(), 4);
  case OnnxInt32:
    return narrowed(tensor.int32_data(), 4);
  default:
    return narrowed(tensor.int32_data(), storedBits(tensor.data_type()) == 16 ? 2 : 1);
  }
}

/// One byte per element; element 0 is in the low bits; signed types are sign-extended.
static std::string unpacked(const char *data, uint64_t count, int bits, bool isSigned) {
  std::string out(count, '\0');
  unsigned perByte = 8 / bits, mask = (1u << bits) - 1, sign = 1u << (bits - 1);
  for (uint64_t i = 0; i < count; ++i) {
    unsigned code = (uint8_t(data[i / perByte]) >> (i % perByte * bits)) & mask;
    out[i] = char(isSigned && (code & sign) ? int(code) - int(mask) - 1 : int(code));
  }
  return out;
}

Result<ElementsAttr> tensorValue(MLIRContext *context, const onnx_ir::TensorProto &tensor,
                                 StringRef name, ExternalData &external,
                                 const std::shared_ptr<const void> &modelOwner) {
  std::string what = "tensor '" + name.str() + "': ";
  Type element = elementType(context, tensor.data_type());
  if (!element)
    return qrt::unsupported("element type " + onnxTypeName(tensor.data_type()));
  uint64_t count = 1;
  constexpr uint64_t maxElements = uint64_t(1) << 48;
  SmallVector<int64_t> shape;
  for (int64_t dim : tensor.dims()) {
    if (dim < 0 || uint64_t(dim) > maxElements)
      return qrt::invalidModel(what + "dimension " + std::to_string(dim));
    if (dim && count > maxElements / uint64_t(dim))
      return qrt::invalidModel(what + "too many elements");
    count *= uint64_t(dim);
    shape.push_back(dim);
  }
  if (shape.size() > 16)
    return qrt::invalidModel(what + "more than 16 dimensions");
  auto type = RankedTensorType::get(shape, element);
  if (count == 0)
    return ElementsAttr(DenseElementsAttr::get(type, ArrayRef<Attribute>()));

  int bits = storedBits(tensor.data_type());
  uint64_t expected = (count * bits + 7) / 8;
  BorrowedBytes bytes;
  std::string typed;
  if (tensor.data_location() == 1) {
    auto read = external.read(tensor, expected);
    if (!read)
      return read.status().withContext("tensor '" + name.str() + "'");
    bytes = *read;
  } else if (tensor.has_raw_data()) {
    bytes = {tensor.raw_data().data(), tensor.raw_data().size(), modelOwner};
  } else {
    typed = typedBytes(tensor);
    bytes = {typed.data(), typed.size(), nullptr};
  }
  if (bytes.size != expected)
    return qrt::invalidModel(what + "has " + std::to_string(bytes.size) +
                             " bytes of data, expected " + std::to_string(expected));
  std::string converted;
  if (bits < 8) {
    bool isSigned = tensor.data_type() == OnnxInt4 || tensor.data_type() == OnnxInt2;
    converted = unpacked(bytes.data, count, bits, isSigned);
  } else if (tensor.data_type() == OnnxBool) {
    converted.assign(bytes.data, bytes.size);
    for (char &byte : converted)
      byte = byte != 0;
  }
  if (!converted.empty())
    return WeightStore::insertCopy(type, name, ArrayRef<char>(converted.data(), converted.size()));
  ArrayRef<char> flat(bytes.data, bytes.size);
  if (count > 64 && bytes.owner)
    return WeightStore::insertBorrowed(type, name, flat, bytes.owner);
  return WeightStore::insertCopy(type, name, flat);
}

} // namespace qopt
