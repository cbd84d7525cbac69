//===- qrt/DType.h - Element types -----------------------------------------------------------===//
// The element types that graphs and files use. The numbers are part of the file format
// (docs/qmod-format.md): append, never renumber.
#ifndef QRT_DTYPE_H
#define QRT_DTYPE_H

#include <cstdint>
#include <optional>
#include <string_view>

namespace qrt {

enum class DType : uint8_t {
  F32 = 0,
  F16 = 1,
  BF16 = 2,
  F64 = 3,
  I8 = 4,
  U8 = 5,
  I16 = 6,
  U16 = 7,
  I32 = 8,
  U32 = 9,
  I64 = 10,
  U64 = 11,
  Bool = 12, // one byte per element, 0 or 1
  I4 = 13,   // sub-byte types: bitWidth() is their width in files, in memory one byte per element
  U4 = 14,
  I2 = 15,
  U2 = 16,
};
inline constexpr uint8_t numDTypes = 17;

/// Bits of information per element (Bool: 8, since it is stored as a byte).
constexpr int bitWidth(DType type) {
  constexpr int widths[numDTypes] = {32, 16, 16, 64, 8, 8, 16, 16, 32, 32, 64, 64, 8, 4, 4, 2, 2};
  return widths[static_cast<int>(type)];
}
/// Bytes per element in memory; sub-byte types are kept one per byte.
constexpr int byteWidth(DType type) {
  int bits = bitWidth(type);
  return bits < 8 ? 1 : bits / 8;
}
constexpr bool isFloat(DType type) { return static_cast<uint8_t>(type) <= 3; }
constexpr bool isSigned(DType type) {
  return isFloat(type) || type == DType::I8 || type == DType::I16 || type == DType::I32 ||
         type == DType::I64 || type == DType::I4 || type == DType::I2;
}
constexpr bool isInteger(DType type) { return !isFloat(type) && type != DType::Bool; }

/// "f32", "bf16", "i64", "u8", "bool" ...
constexpr std::string_view name(DType type) {
  constexpr std::string_view names[numDTypes] = {"f32",  "f16", "bf16", "f64", "i8",  "u8",
                                                 "i16",  "u16", "i32",  "u32", "i64", "u64",
                                                 "bool", "i4",  "u4",   "i2",  "u2"};
  return names[static_cast<int>(type)];
}
/// The inverse of name(); nothing for an unknown word.
constexpr std::optional<DType> dtypeFromName(std::string_view text) {
  for (uint8_t i = 0; i < numDTypes; ++i)
    if (name(static_cast<DType>(i)) == text)
      return static_cast<DType>(i);
  return std::nullopt;
}

} // namespace qrt

#endif // QRT_DTYPE_H
