//===- CalibrationData.h - Calibration tokens from a file -------------------------------------===//
// What --calib takes, by the file's extension:
//
//   .npy    integers [sequences, length] or [length]: token ids
//   .json   [[ids...], ...], or an object with such a list under "ids" or "input_ids"
//   .jsonl  one sample a line: [ids...], {"ids" | "input_ids": [...]}, {"text" | "prompt": "..."}
//   or
//           {"messages": [...]}, which goes through the model's chat template
//   .txt    one text
//
// Samples longer than `length` are cut into pieces; the first pieces of all samples come before
// their second pieces, and of those `samples` are taken. Pieces shorter than an eighth of `length`
// are dropped unless they are all of their sample. With seed 0 samples keep the order of the file,
// other seeds shuffle them. Data is never made up.
// Thread safety: free functions without state.
#ifndef QOPT_CALIBRATION_CALIBRATIONDATA_H
#define QOPT_CALIBRATION_CALIBRATIONDATA_H

#include "qopt/Calibration/TokenWeights.h"

#include "Support/Json.h"
#include "qrt/Status.h"

#include <functional>
#include <string>

namespace qopt::calibration {

struct CalibrationOptions {
  std::string file;
  std::string maskFile;  ///< .npy of the shape of `file` (.npy, too): a weight >= 0 per token
  int64_t samples = 128; ///< at most
  int64_t length = 2048; ///< most tokens of a sample
  uint64_t seed = 0;
  int64_t vocabulary = 0; ///< ids must be below; 0: not checked
};

/// Traces that the model itself writes in full precision, in place of a file of text.
struct SelfTraces {
  std::string prompts;    ///< a file as above; "": no traces
  int64_t tokens = 512;   ///< most that are written behind a prompt
  double temperature = 0; ///< 0: greedy; else sampled with CalibrationOptions::seed
  std::string saveFile;   ///< .jsonl of what was written, prompts included; "": not kept
};

/// How text becomes ids; an empty function says that the model cannot do that.
struct TextEncoder {
  std::function<qrt::Result<std::vector<int32_t>>(std::string_view text)> encodeText;
  std::function<qrt::Result<std::vector<int32_t>>(const qrt::OrderedJson &messages)> encodeMessages;
  std::function<qrt::Result<TokenClasses>()> tokenClasses; ///< for TokenWeights
};

/// CannotRead if the file cannot be read; BadCalibration, naming line, row or id, if it is of no
/// use: malformed, empty, ids outside the vocabulary, text without a tokenizer.
qrt::Result<TokenTable> readCalibration(const CalibrationOptions &options,
                                        const TextEncoder &encoder);

} // namespace qopt::calibration

#endif // QOPT_CALIBRATION_CALIBRATIONDATA_H
