//===- TextStream.h - The growing text of one request -----------------------------------------===//
// Turns tokens into text, split into thinking and answer, valid UTF-8 throughout (what is not
// becomes U+FFFD). Text comes out when it is certain: not while it may be the beginning of a stop
// string or of a think tag, nor before a character is complete. Tokens can be taken back. Special
// tokens have no text, think tags are in text() only. Not thread safe.
#ifndef QRT_GENERATION_TEXTSTREAM_H
#define QRT_GENERATION_TEXTSTREAM_H

#include "Reasoning/ThinkState.h"
#include "Tokenizer/Tokenizer.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qrt {

class TextStream {
public:
  /// `tokenizer` and `tags` may be null: no text, no tags.
  TextStream(std::shared_ptr<const Tokenizer> tokenizer, const ThinkTags *tags,
             std::vector<std::string> stopStrings, bool thinking);

  /// `event`: what the token did to the think state. The stop string that is now complete, if any;
  /// it and what follows it are no part of the text.
  std::optional<std::string> push(int32_t token, ThinkState::Event event);
  /// Forgets all but the first `keep` tokens; how many bytes that were given out are taken back.
  size_t rollback(int64_t keep);
  /// No more tokens: what was held back is certain.
  void finish();

  using Sink = std::function<void(std::string_view text, bool reasoning)>;
  /// Gives out what is certain and was not given out before.
  void emit(const Sink &sink);

  const std::string &text() const { return all; }
  const std::string &reasoning() const { return parts[1]; }
  const std::string &content() const { return parts[0]; }

private:
  struct Mark { ///< before a token
    size_t all, parts[2];
    std::string pending;
    bool thinking;
  };
  size_t held(const std::string &part) const;
  std::optional<std::string> cutAtStop(size_t before);

  std::shared_ptr<const Tokenizer> tokenizer;
  std::string openTag, closeTag; // as text in parts; empty: matched by id
  const ThinkTags *tags;
  std::vector<std::string> stopStrings;
  std::string all, parts[2]; // content, reasoning
  size_t given[2] = {0, 0};
  std::string pending; // bytes of an incomplete character
  bool thinking, done = false;
  std::vector<Mark> marks;
};

/// Appends `bytes` to `out`, where `pending` holds the incomplete character before them; keeps what
/// is still incomplete there.
void appendUtf8(std::string_view bytes, std::string &pending, std::string &out);

} // namespace qrt

#endif // QRT_GENERATION_TEXTSTREAM_H
