//===- CudaLimits.h - Sizes that are fixed when an engine on a device is made ----------------===//
#ifndef QRT_ENGINE_CUDALIMITS_H
#define QRT_ENGINE_CUDALIMITS_H

#include <cstdint>

namespace qrt {

/// Sequences of a decode step in one graph, and rows of logits that are computed at once.
inline constexpr int64_t cudaDecodeRows = 64;
/// Sequences in one run of a prefill step.
inline constexpr int64_t cudaPrefillParts = 256;
/// Tokens per sequence where neither model nor options say.
inline constexpr int64_t cudaDefaultContext = 131072;
/// No more KV blocks than so many sequences of full context need.
inline constexpr int64_t cudaFullSequences = 256;
/// Shortest context that a decode graph is made for.
inline constexpr int64_t cudaShortContext = 256;

} // namespace qrt

#endif // QRT_ENGINE_CUDALIMITS_H
