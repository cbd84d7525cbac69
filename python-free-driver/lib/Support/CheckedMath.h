//===- CheckedMath.h - Arithmetic that notices overflow --------------------------------------===//
// Sizes and offsets come from files and are hostile; every sum and product of them goes through
// these. They return nothing instead of wrapping.
#ifndef QRT_SUPPORT_CHECKEDMATH_H
#define QRT_SUPPORT_CHECKEDMATH_H

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>

namespace qrt {

template <std::integral T>
constexpr std::optional<T> checkedAdd(T a, T b) {
  T result;
  if (__builtin_add_overflow(a, b, &result))
    return std::nullopt;
  return result;
}

template <std::integral T>
constexpr std::optional<T> checkedMul(T a, T b) {
  T result;
  if (__builtin_mul_overflow(a, b, &result))
    return std::nullopt;
  return result;
}

/// The next multiple of `alignment` (> 0) at or above `value` (>= 0).
template <std::integral T>
constexpr std::optional<T> checkedAlignUp(T value, T alignment) {
  auto sum = checkedAdd<T>(value, alignment - 1);
  if (!sum)
    return std::nullopt;
  return *sum / alignment * alignment;
}

/// Product of dimensions (1 for none); nothing on overflow or a negative dimension.
inline std::optional<int64_t> checkedProduct(std::span<const int64_t> dims) {
  int64_t product = 1;
  for (int64_t dim : dims)
    if (dim < 0 || __builtin_mul_overflow(product, dim, &product))
      return std::nullopt;
  return product;
}

/// Does [offset, offset + length) lie inside [0, size)? Never wraps.
constexpr bool fitsInside(uint64_t offset, uint64_t length, uint64_t size) {
  return offset <= size && length <= size - offset;
}

} // namespace qrt

#endif // QRT_SUPPORT_CHECKEDMATH_H
