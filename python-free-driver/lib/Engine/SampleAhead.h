//===- SampleAhead.h - Whether a step that was launched ahead is the one asked for -----------===//
// Pure function; any thread.
#ifndef QRT_ENGINE_SAMPLEAHEAD_H
#define QRT_ENGINE_SAMPLEAHEAD_H

#include "Support/SampleRow.h"

#include <span>

namespace qrt {

/// The row that was launched before the token `carried` was known chooses from any logits what
/// `asked` does: all members are equal, and lists of the launched row that end before that token
/// (SampleRow::carries) are the asked ones but for it.
bool isSameChoice(const SampleRow &launched, std::span<const SampleEntry> launchedEntries,
                  int32_t carried, const SampleRow &asked,
                  std::span<const SampleEntry> askedEntries);

} // namespace qrt

#endif // QRT_ENGINE_SAMPLEAHEAD_H
