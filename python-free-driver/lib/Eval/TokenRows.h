//===- TokenRows.h - Sequences of token ids to compare models on ------------------------------===//
#ifndef QRT_EVAL_TOKENROWS_H
#define QRT_EVAL_TOKENROWS_H

#include "qrt/Status.h"

#include <cstdint>
#include <string>
#include <vector>

namespace qrt {

struct TokenRow {
  std::vector<int32_t> ids; ///< at least two
  std::vector<bool> scored; ///< per id: its prediction counts; the first is never predicted
};

/// FILE.npy (integers [sequences, length]) or FILE.json ([[int, ...], ...]); the mask, "" for none,
/// is a .npy of the same shape, non-zero where a token's prediction counts (without it:
/// everywhere). InvalidArgument names row and column of an id outside [0, vocabSize).
Result<std::vector<TokenRow>> readTokenRows(const std::string &idsPath, const std::string &maskPath,
                                            int32_t vocabSize);

} // namespace qrt

#endif // QRT_EVAL_TOKENROWS_H
