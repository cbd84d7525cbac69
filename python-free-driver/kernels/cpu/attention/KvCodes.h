//===- KvCodes.h - keys and values of few bits in their pages ------------------===//
//
// Layout of one kv head in a page of 64 tokens, I8 or I4. Codes, scales (f16) and zero points are
// those of docs/semantics.md, one scale per token and group of features: I8 symmetric (zero point
// 128), groups of 128; I4 asymmetric, groups of 32; a head that is shorter, or that the group does
// not divide, is one group. Parts, each on a cache line:
//
//   codes        32-bit units of U = 32 / bits codes; code i of a unit at bit
//                (i % 2) * 16 + (i / 2) * bits: shifting and masking 16-bit lanes gives pairs of
//                neighbouring codes, what a 16-bit dot product takes.
//                keys    [headDim / U, rounded up][64 tokens]: U features of one token
//                values  [64 / U][valueDim, rounded up to 16]: U tokens of one feature
//   scales       f16 [groups][64]
//   zero points  u8 [groups][64], I4 only
//
// A token whose group is not finite gets a NaN scale. Thread safe.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_ATTENTION_KVCODES_H
#define QRT_KERNELS_CPU_ATTENTION_KVCODES_H

#include "kernels/cpu/attention/attention.h"

namespace qrt::kernels {

struct KvCodeLayout {
  int bits = 0; ///< 8 or 4
  int unit = 0; ///< codes per 32 bits
  bool symmetric = false;
  int64_t dim = 0, group = 0, groups = 0;
  int64_t units = 0;    ///< keys: of one token
  int64_t rowUnits = 0; ///< values: of one run of `unit` tokens
  int64_t codeBytes = 0, scalesOffset = 0, zeroPointsOffset = 0, headBytes = 0;
};

/// Of keys (isKey) or values of `dim` features. headBytes = 0: not a coded type, or a head above
/// 256 features that the group does not divide.
KvCodeLayout kvCodeLayout(int64_t dim, DType type, bool isKey);

/// The codes of one group, [count] values that share a scale. `codes` gets one code per byte.
struct KvGroupScale {
  uint16_t scale; ///< f16
  uint8_t zeroPoint;
};
KvGroupScale quantizeKvGroup(const float *x, int64_t count, int bits, bool symmetric,
                             uint8_t *codes);

/// Quantizes one token of one kv head, divided by `balance` [dim] unless that is null, into its
/// page. `head` points at the head's part.
void writeKvToken(const KvCodeLayout &layout, bool isKey, const float *x, const float *balance,
                  int64_t slot, void *head);
/// Feature d of the token in `slot`, as attention reads it.
float readKvElement(const KvCodeLayout &layout, bool isKey, const void *head, int64_t slot,
                    int64_t d);

} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_ATTENTION_KVCODES_H
