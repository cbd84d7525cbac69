//===- LoopDetector.h - Repetition of what was just written -----------------------------------===//
// Two definitions, both on token ids:
//   exact  some n-gram occurs at least `count` times within the last `window` tokens (n 20, count
//   4,
//          window 1024: arXiv 2606.02011, appendix B; occurrences may overlap)
//   near   the last 3 p tokens repeat with period p, 8 <= p <= window / 3, but for at most one
//   place
//          in ten; looked for every 16 tokens
// push() costs O(1) for the first and about 7000 comparisons per token for the second at window
// 1024.
#ifndef QRT_REASONING_LOOPDETECTOR_H
#define QRT_REASONING_LOOPDETECTOR_H

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace qrt {

struct Loop {
  int64_t
      start; ///< index of the first token that is a repetition of what stands `period` before it
  int64_t period; ///< tokens
  bool exact;
};

class LoopDetector {
public:
  LoopDetector(int32_t ngram, int32_t count, int32_t window, bool nearCycles)
      : ngram(ngram), count(count), window(window), nearCycles(nearCycles) {}

  std::optional<Loop> push(int32_t token);
  /// Forgets all but the first `length` tokens; the next loop is found anew.
  void truncate(int64_t length);
  void clear() { truncate(0); }
  int64_t size() const { return int64_t(tokens.size()); }

private:
  std::span<const int32_t> gram(int64_t end) const { // the n-gram before `end`
    return std::span(tokens).subspan(size_t(end - ngram), size_t(ngram));
  }
  void enter(int64_t end);
  void leave(int64_t end);
  int64_t firstPlace(int64_t start, int64_t period) const;
  std::optional<Loop> findNear() const;

  int32_t ngram, count, window;
  bool nearCycles;
  std::vector<int32_t> tokens;
  std::vector<uint64_t> hashes;                      // of the n-gram that ends behind each token
  std::unordered_map<uint64_t, int32_t> occurrences; // in the window
};

/// Whether any loop in the exact sense is in a finished text.
bool hasExactLoop(std::span<const int32_t> tokens, int32_t ngram = 20, int32_t count = 4,
                  int32_t window = 1024);

/// "Explicit loop" of RATIO: at least 80 % of the 4-token windows occur more than once and at least
/// half of the non-empty lines are duplicates, or one token 64 times in a row.
bool hasExplicitLoop(std::span<const int32_t> tokens, std::string_view text);

} // namespace qrt

#endif // QRT_REASONING_LOOPDETECTOR_H
