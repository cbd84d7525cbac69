//===- ThinkState.h - Whether the model is thinking now ---------------------------------------===//
// Follows the tokens of one sequence, prompt included: a chat template may open the block itself,
// and a second open tag arms the state again. A value: copy it to be able to roll back.
#ifndef QRT_REASONING_THINKSTATE_H
#define QRT_REASONING_THINKSTATE_H

#include "Reasoning/ThinkTags.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace qrt {

class ThinkState {
public:
  enum class Event { None, Opened, Closed };

  ThinkState() = default; ///< never thinks
  explicit ThinkState(std::shared_ptr<const ThinkTags> tags) : tags(std::move(tags)) {}

  /// `bytes`: what the token stands for, read only where a tag is not one token.
  Event push(int32_t token, std::string_view bytes);
  /// A token that is no tag, whatever its bytes.
  void pushOrdinary() { blockTokens += inside; }
  bool thinking() const { return inside; }
  /// Tokens since the block was opened, the open tag excluded; 0 outside.
  int64_t tokensInBlock() const { return inside ? blockTokens : 0; }
  /// Blocks opened and closed so far, those of the prompt included.
  int64_t opened() const { return openCount; }
  int64_t closed() const { return closeCount; }

private:
  std::shared_ptr<const ThinkTags> tags;
  std::string tail; // last bytes, as long as the longest tag at most
  bool inside = false;
  int64_t blockTokens = 0, openCount = 0, closeCount = 0;
};

} // namespace qrt

#endif // QRT_REASONING_THINKSTATE_H
