//===- TokenTable.h - Calibration tokens as sequences -----------------------------------------===//
// What a sweep runs on: token ids of several sequences, one behind the other. Every sequence starts
// at position 0 with an empty cache. A weight per token says how much it counts in statistics
// (1: as usual, 0: it is only context).
// Thread safety: a value.
#ifndef QOPT_CALIBRATION_TOKENTABLE_H
#define QOPT_CALIBRATION_TOKENTABLE_H

#include <cstdint>
#include <span>
#include <vector>

namespace qopt::calibration {

struct TokenTable {
  struct Sequence {
    int64_t first = 0;  ///< index of its first token in `ids`
    int64_t tokens = 0; ///< at least 1
  };
  std::vector<int32_t> ids;
  std::vector<float> weights; ///< [ids] or empty: all 1
  std::vector<Sequence> sequences;

  int64_t tokens() const { return static_cast<int64_t>(ids.size()); }
  void append(std::span<const int32_t> sequence) {
    sequences.push_back({tokens(), static_cast<int64_t>(sequence.size())});
    ids.insert(ids.end(), sequence.begin(), sequence.end());
  }
};

} // namespace qopt::calibration

#endif // QOPT_CALIBRATION_TOKENTABLE_H
