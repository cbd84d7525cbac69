//===- ThinkPlaces.cpp - Where a finished text thinks ----------------------------------------===//
#include "Reasoning/ThinkPlaces.h"

#include "Reasoning/ThinkState.h"

namespace qrt {

std::vector<ThinkPlace> thinkPlaces(const Tokenizer &tokenizer,
                                    const std::optional<ThinkTags> &tags,
                                    std::span<const int32_t> ids) {
  ThinkState state(tags ? std::make_shared<const ThinkTags>(*tags) : nullptr);
  std::vector<ThinkPlace> places;
  places.reserve(ids.size());
  bool lineStart = true;
  for (int32_t id : ids) {
    places.push_back({!tags || state.thinking(), lineStart});
    const std::string bytes = tokenizer.tokenBytes(id);
    lineStart = state.push(id, bytes) == ThinkState::Event::Opened || bytes.ends_with('\n');
  }
  return places;
}

} // namespace qrt
