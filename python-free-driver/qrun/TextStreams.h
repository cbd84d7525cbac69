//===- TextStreams.h - Texts of a batch on stdout, in order ----------------------------------===//
// The text of the first request that is not done is written as it comes; those behind it wait in
// memory. The whole output is the texts of the results in order, each with a line end. Where a
// control may take text back (loop rescue, early exit), a text is written when it is done.
#ifndef QRUN_TEXTSTREAMS_H
#define QRUN_TEXTSTREAMS_H

#include "Generation/Generator.h"

#include <span>
#include <string>
#include <vector>

namespace qrt {

class TextStreams {
public:
  TextStreams(size_t count, const ModelTexts &texts, const ReasoningOptions &reasoning);

  /// For GenerationRequest::onToken of request `index`; the object must outlive the run.
  std::function<bool(const TokenEvent &)> listener(size_t index, std::span<const int32_t> prompt);
  void finish(size_t index, const GenerationResult &result);
  /// The first error of writing.
  Status status() const { return error; }

private:
  struct Stream {
    std::string waiting;
    bool thinking = false, done = false;
  };
  void write();

  const ModelTexts &texts;
  bool live; ///< written as it comes
  std::vector<Stream> streams;
  size_t current = 0; ///< whose turn it is
  Status error;
};

/// Whether a control may take back text that was told.
bool mayRetract(const ReasoningOptions &options);
/// Whether the prompt ends inside a think block.
bool promptOpensThinking(const ModelTexts &texts, std::span<const int32_t> prompt);

} // namespace qrt

#endif // QRUN_TEXTSTREAMS_H
