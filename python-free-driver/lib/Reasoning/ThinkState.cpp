//===- ThinkState.cpp - Whether the model is thinking now -------------------------------------===//
#include "Reasoning/ThinkState.h"

#include <algorithm>

namespace qrt {

ThinkState::Event ThinkState::push(int32_t token, std::string_view bytes) {
  if (!tags)
    return Event::None;
  const std::optional<int32_t> &openId = tags->openId, &closeId = tags->closeId;
  bool opens = openId && token == *openId, closes = closeId && token == *closeId;
  if (!openId || !closeId) {
    // The bytes seen so far may end in a tag. The tail never holds a whole one: it is cleared where
    // one was found.
    tail.append(bytes);
    size_t at = std::string::npos;
    if (!openId && (at = tail.find(tags->open)) != std::string::npos)
      opens = true;
    if (!closeId && tail.find(tags->close) != std::string::npos)
      closes = true;
    size_t keep = std::max(tags->open.size(), tags->close.size()) - 1;
    if (opens || closes)
      tail.clear();
    else if (tail.size() > keep)
      tail.erase(0, tail.size() - keep);
  }
  // A close tag in the text of somebody who does not think is text; a second open tag opens again.
  if (closes && inside) {
    inside = false;
    ++closeCount;
    return Event::Closed;
  }
  if (opens) {
    inside = true;
    blockTokens = 0;
    ++openCount;
    return Event::Opened;
  }
  if (inside)
    ++blockTokens;
  return Event::None;
}

} // namespace qrt
