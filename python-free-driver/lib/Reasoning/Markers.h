//===- Markers.h - Overthinking markers as token ids ------------------------------------------===//
// A marker is a word whose logit the penalty lowers (Lotfi, Kirichenko, Li, Liu: "Quantized
// Reasoning Models Think They Need to Think Longer, but They Do Not", arXiv 2606.00206; the set
// "default50" is its Table 8). A word becomes token ids through the model's tokenizer: with a
// leading space, bare, and with the first letter in the other case. A spelling of several tokens is
// reported and left alone, never penalised by its fragments. A bare token that can also be a piece
// of a longer word acts only at the start of a line. The file's MARKERS section (JSON) overrides
// ids and strengths:
//   {"version": 1, "name": "derived", "source": "...", "strength": 0.84, "tokens": [{"id": 3783,
//    "text": " wait", "strength": 1.12, "line_start": false}, ...]}
// A token's `strength` multiplies the request's; the table's own, which is optional, is the one
// that was fitted to this model, for requests that ask for it. `line_start` and `text` are
// optional; `source` says how the table was made. Unknown members are ignored.
#ifndef QRT_REASONING_MARKERS_H
#define QRT_REASONING_MARKERS_H

#include "Tokenizer/Tokenizer.h"
#include "qrt/Status.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qrt {

struct Marker {
  int32_t token = -1;
  std::string text;       ///< what the token decodes to
  float strength = 1;     ///< multiplies the request's
  bool lineStart = false; ///< acts only at the start of a line or of the think block
};

struct MarkerTable {
  std::string name;
  std::vector<Marker> markers;      ///< ascending tokens, each once
  std::vector<std::string> dropped; ///< spellings that are not one token
  std::optional<float> strength;    ///< of the request, as it was fitted to this model
};

/// "default50" (2606.00206), "nowait" (2506.08343), "tip" (2501.18585), "reflection" (2506.11077);
/// empty: no such set.
std::span<const std::string_view> markerWordSet(std::string_view name);
std::vector<std::string_view> markerWordSetNames();

/// Words to ids. A word that starts with '=' is taken literally (no variants). InvalidArgument: no
/// word has a spelling of one token.
Result<MarkerTable> expandMarkers(const Tokenizer &tokenizer, std::span<const std::string> words,
                                  std::string name);

/// The MARKERS section. InvalidModel: not of the form above, or an id outside [0, vocabSize).
Result<MarkerTable> parseMarkerTable(std::string_view json, int32_t vocabSize);
std::string markerTableJson(const MarkerTable &table, const std::string &source);

} // namespace qrt

#endif // QRT_REASONING_MARKERS_H
