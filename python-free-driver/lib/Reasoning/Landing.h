//===- Landing.h - Where a think block may be ended -------------------------------------------===//
// A budget that cuts in the middle of a sentence or a word spoils the answer behind it. So, once
// the budget is spent: within `grace` tokens only where a sentence or line has ended, then at the
// end of a word, and after 32 more tokens anywhere between two characters.
#ifndef QRT_REASONING_LANDING_H
#define QRT_REASONING_LANDING_H

#include <cstdint>
#include <string_view>

namespace qrt {

/// `tail`: the last bytes of the text; `next`: the bytes of the token the model wants; `over`:
/// tokens beyond the budget.
bool landsHere(std::string_view tail, std::string_view next, int64_t over, int64_t grace);

} // namespace qrt

#endif // QRT_REASONING_LANDING_H
