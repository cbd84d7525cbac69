//===- KvQuantization.h - Reference numerics of quantized caches ------------------------------===//
// What a cache of keys or values [tokens, channels] holds after it went through 8 or 4 bits. It
// defines the result for the cache kernels and lets a quantizer measure a format before it is used.
//
//   PerToken    one scale per token and group of `groupSize` channels (0: a head of headDim)
//   PerChannel  one scale per channel and run of `tokenBlock` tokens (KIVI, arXiv 2402.02750,
//               section 3: keys have outlier channels); the last, incomplete run stays as it is
//
// Codes, scales and zero points follow docs/semantics.md (round to nearest). The first `sinkTokens`
// and the last `recentTokens` stay in full precision (KVQuant, arXiv 2401.18079; KIVI).
#ifndef QOPT_QUANTIZATION_KVQUANTIZATION_H
#define QOPT_QUANTIZATION_KVQUANTIZATION_H

#include "qopt/Quantization/Parallel.h"

#include "qrt/Status.h"

#include <span>

namespace qopt::quantization {

enum class KvAxis { PerToken, PerChannel };

struct KvFormat {
  int bits = 8; ///< 8 or 4
  KvAxis axis = KvAxis::PerToken;
  bool symmetric = true;
  int64_t headDim = 0;
  int64_t groupSize = 0;    ///< PerToken
  int64_t tokenBlock = 128; ///< PerChannel
  int64_t sinkTokens = 0;
  int64_t recentTokens = 0;
};

/// Replaces x [tokens, channels] by what is read back. InvalidArgument for a format that does not
/// fit the channels, or values that are not finite.
qrt::Status roundTripKv(std::span<float> x, int64_t tokens, int64_t channels,
                        const KvFormat &format);

} // namespace qopt::quantization

#endif // QOPT_QUANTIZATION_KVQUANTIZATION_H
