//===- SampleLists.h - A step's sampling as lists, for the sampler of a device ---------------===//
// Turns history, options and controls into the form of Support/SampleRow.h. The lists are those
// that the CPU's sampler applies (Repetition.h), so both samplers choose the same token. Thread
// safety: one thread at a time per object.
#ifndef QRT_SAMPLING_SAMPLELISTS_H
#define QRT_SAMPLING_SAMPLELISTS_H

#include "Sampling/Sampler.h"
#include "Support/SampleRow.h"

#include <cstdint>
#include <vector>

namespace qrt {

class SampleLists {
public:
  explicit SampleLists(int32_t vocabSize);

  /// Log-probabilities and grammar masks are the CPU's alone.
  static bool canExpress(const SamplingOptions &options, const StepControls &controls) {
    return options.logprobs < 0 && controls.allowed.empty();
  }
  /// A further step can be described before its newest token is known.
  static bool canLookAhead(const SamplingOptions &options) {
    return options.logprobs < 0 && options.dry.multiplier == 0 &&
           (options.repetitionPenalty == 1 || options.repetitionWindow != 1);
  }
  /// Appends the lists to `entries`. As Sampler::sample(); InvalidArgument: a forced token outside
  /// the vocabulary, or what canExpress() denies.
  Status fill(const History &history, const SamplingOptions &options, const StepControls &controls,
              uint64_t stream, SampleRow &row, std::vector<SampleEntry> &entries);
  /// What fill() will give when `history` is one token longer: the row carries that token
  /// (SampleRow::carries). Only where canLookAhead().
  Status fillAhead(const History &history, const SamplingOptions &options,
                   const StepControls &controls, uint64_t stream, SampleRow &row,
                   std::vector<SampleEntry> &entries);

private:
  Status fill(const History &history, int unknown, const SamplingOptions &options,
              const StepControls &controls, uint64_t stream, SampleRow &row,
              std::vector<SampleEntry> &entries);

  int32_t vocabSize;
  std::vector<int32_t> counts, scratch;
};

} // namespace qrt

#endif // QRT_SAMPLING_SAMPLELISTS_H
