//===- ThinkPlaces.h - Where a finished text thinks ------------------------------------------===//
#ifndef QRT_REASONING_THINKPLACES_H
#define QRT_REASONING_THINKPLACES_H

#include "Reasoning/ThinkTags.h"
#include "Tokenizer/Tokenizer.h"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace qrt {

/// Of a token: was it written inside the thinking (the tag that ends it is), and at the start of a
/// line or of the thinking?
struct ThinkPlace {
  bool thinking, lineStart;
};
/// One per id. Without tags the whole text is thinking.
std::vector<ThinkPlace> thinkPlaces(const Tokenizer &tokenizer,
                                    const std::optional<ThinkTags> &tags,
                                    std::span<const int32_t> ids);

} // namespace qrt

#endif // QRT_REASONING_THINKPLACES_H
