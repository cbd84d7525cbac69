//===- Repetition.h - Penalties on what was written before ------------------------------------===//
// Step 3 of the chain in Sampler.h, on logits in place. The formulas:
//   repetition  l > 0: l / r, else l * r     for tokens of the window (prompt included; CTRL,
//   1909.05858) presence    l - a                        for generated tokens frequency   l - b *
//   count                for generated tokens DRY         l(v) - m * base^(n - allowed)  where n >=
//   allowed is the longest suffix of the history that
//               occurred before and was followed by v (p-e-w, text-generation-webui pull request
//               5677)
// Thread safety: scratch belongs to the caller; free functions.
#ifndef QRT_SAMPLING_REPETITION_H
#define QRT_SAMPLING_REPETITION_H

#include "Sampling/Options.h"
#include "Support/SampleRow.h"

#include <cstdint>
#include <span>
#include <vector>

namespace qrt {

/// Appends each token of the last `window` ones (0: all) once, in the order in which they come
/// first, with the number of its occurrences. Ids outside the vocabulary are ignored.
/// `counts`: vocabSize zeros, zero again on return.
void listSeen(std::span<const int32_t> tokens, int32_t window, std::span<int32_t> counts,
              std::vector<SampleEntry> &out);
/// Appends what DRY subtracts, each token once. O(history) time by the Z algorithm.
void listDry(std::span<const int32_t> tokens, const DryOptions &options,
             std::vector<int32_t> &scratch, std::span<int32_t> counts,
             std::vector<SampleEntry> &out);

/// `counts`: vocabSize zeros, zero again on return. Ids of the history outside the vocabulary are
/// ignored.
void penaliseRepetition(std::span<const int32_t> tokens, int64_t promptLength,
                        const SamplingOptions &options, std::span<float> logits,
                        std::span<int32_t> counts);

/// Subtracts listDry().
void penaliseDry(std::span<const int32_t> tokens, const DryOptions &options,
                 std::span<float> logits, std::vector<int32_t> &scratch, std::span<int32_t> counts);

} // namespace qrt

#endif // QRT_SAMPLING_REPETITION_H
