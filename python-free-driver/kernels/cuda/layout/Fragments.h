//===- Fragments.h - which lane of a warp holds what of a matrix product ------===//
//
// Ownership tables of the tensor-core instructions that the kernels use (PTX ISA, "Matrix fragments
// for mma.m16n8k16 / m16n8k32" and "wgmma register fragments"). With t = lane % 4 and p = lane / 4:
//
//   mma m16n8k16   A  register r, half h: row p + 8 (r & 1), k 2t + h + 8 (r >> 1)
//                  B  register r, half h: k 2t + h + 8 r, column p
//   mma m16n8k32   A  register r, byte b: row p + 8 (r & 1), k 4t + b + 16 (r >> 1)
//                  B  register r, byte b: k 4t + b + 16 r, column p
//   both           C  register r:         row p + 8 (r >> 1), column 2t + (r & 1)
//   wgmma m64      A in registers: warp w of the warpgroup holds rows 16w .. 16w + 15 as mma's A;
//                  D  register i: row 16w + p + 8 (i >> 1 & 1), column 8 (i >> 2) + 2t + (i & 1)
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_LAYOUT_FRAGMENTS_H
#define QRT_KERNELS_CUDA_LAYOUT_FRAGMENTS_H

#include <cstdint>

namespace qrt::cuda {

inline constexpr int warpLanes = 32;

struct FragmentPlace {
  int row; ///< of A and C; k of B
  int col; ///< k of A; column of B and C
  constexpr bool operator==(const FragmentPlace &) const = default;
};

constexpr FragmentPlace fragmentA16(int lane, int reg, int half) {
  return {lane / 4 + 8 * (reg & 1), lane % 4 * 2 + half + 8 * (reg >> 1)};
}
constexpr FragmentPlace fragmentB16(int lane, int reg, int half) {
  return {lane % 4 * 2 + half + 8 * reg, lane / 4};
}
constexpr FragmentPlace fragmentA8(int lane, int reg, int byte) {
  return {lane / 4 + 8 * (reg & 1), lane % 4 * 4 + byte + 16 * (reg >> 1)};
}
constexpr FragmentPlace fragmentB8(int lane, int reg, int byte) {
  return {lane % 4 * 4 + byte + 16 * reg, lane / 4};
}
constexpr FragmentPlace fragmentC(int lane, int reg) {
  return {lane / 4 + 8 * (reg >> 1), lane % 4 * 2 + (reg & 1)};
}
constexpr FragmentPlace wgmmaA16(int warp, int lane, int reg, int half) {
  FragmentPlace place = fragmentA16(lane, reg, half);
  return {place.row + 16 * warp, place.col};
}
constexpr FragmentPlace wgmmaD(int warp, int lane, int index) {
  FragmentPlace place = fragmentC(lane, index & 3);
  return {place.row + 16 * warp, place.col + 8 * (index >> 2)};
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_LAYOUT_FRAGMENTS_H
