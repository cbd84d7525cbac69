//===- MarkerEvidence.h - Which words a quantized model prefers, and by how much -------------===//
// Derives a marker table from two models that read the same reasoning texts, in the manner of RATIO
// (the follow-up of arXiv 2606.00206, known to us second-hand; docs/reasoning.md says what
// differs):
//   event      a token in the top-p 0.95 set of either model at a position inside the thinking;
//              a probability below 1e-3 counts as 1e-3
//   shift      ln q - ln p of an event (p reference, q model)
//   selected   whole words whose shift is positive in at least 60 % of the events and, averaged per
//              text, by at least two standard errors; of these the ones with the largest sum of
//              q - p, since they are what the model says too often (at least a
//              twentieth of the largest)
//   strength   r = median of logit q - logit p over the events with q > p, divided by the median r
//              of the table: the penalty's strength then is that of a typical marker
// Tokens that are no whole word (digits, punctuation, special tokens, pieces that the texts
// continue inside a word) are never candidates; a word without a leading space counts at line
// starts only. Needs logits and texts, no engine: the compiler and qrun share it. Memory: one float
// per event. Thread safety: one thread at a time.
#ifndef QRT_REASONING_MARKEREVIDENCE_H
#define QRT_REASONING_MARKEREVIDENCE_H

#include "Reasoning/Markers.h"

#include <memory>
#include <span>
#include <vector>

namespace qrt {

struct LikelyToken {
  int32_t token;
  float logProbability;
  bool nucleus; ///< in the smallest set of likeliest tokens that has at least 95 %
};
/// Tokens with a probability of at least 1e-3, ascending; empty where logits are not finite. What
/// the evidence needs of one model at one position, in a few bytes.
std::vector<LikelyToken> likelyTokens(std::span<const float> logits);

struct DeriveOptions {
  int64_t minEvents = 20, minTexts = 10;
  int32_t maxMarkers = 24;
};

/// Why a word is in the table, or is not.
struct MarkerCandidate {
  Marker marker;
  int64_t events = 0, texts = 0;
  double shift = 0;       ///< mean over texts of the mean shift
  double shiftError = 0;  ///< its standard error
  double consistency = 0; ///< share of events with a positive shift
  double excess = 0;      ///< sum over events of q - p, per text
  double logOdds = 0;     ///< r above
};

class MarkerEvidence {
public:
  /// `tokenizer` is not null.
  MarkerEvidence(std::shared_ptr<const Tokenizer> tokenizer, const DeriveOptions &options);

  /// One position of a text; `lineStart`: what stands before it ends a line, or opens the thinking.
  void add(std::span<const LikelyToken> reference, std::span<const LikelyToken> model,
           bool lineStart);
  /// The text is over; the next positions are those of another.
  void endText();

  /// Text that shows how words are written: which tokens are followed by more of their word.
  void readText(std::span<const int32_t> ids);
  /// Thinking that a model wrote by itself, for verification: a word that the quantized model does
  /// not write more often than the reference, per token, is no marker. Optional, but both or none.
  void readFreeText(bool ofModel, std::span<const int32_t> thinking);

  /// InvalidArgument: no word is selected, with the number of words that were looked at.
  Result<MarkerTable> derive(std::string name) const;
  /// The selected words, in the order of the table.
  std::vector<MarkerCandidate> selected() const;

private:
  enum class Kind : uint8_t { None, Word, BareWord };
  struct Token {
    Kind kind = Kind::None;
    int64_t events = 0, positive = 0;
    double excess = 0;
    std::vector<float> logOdds; ///< of events with q > p
    double textSum = 0;         ///< of the text that is being read
    int64_t textEvents = 0;
    int64_t texts = 0;
    double sum = 0, squares = 0; ///< of the texts' means
    int64_t whole = 0, continued = 0;
    int64_t written[2] = {};
  };
  void event(int32_t token, double p, double q, bool lineStart);
  bool isSelected(const Token &token) const;

  std::shared_ptr<const Tokenizer> tokenizer;
  DeriveOptions options;
  std::vector<Token> tokens;
  std::vector<int32_t> touched; ///< tokens with events in this text
  int64_t textCount = 0;
  int64_t freeTokens[2] = {};
};

} // namespace qrt

#endif // QRT_REASONING_MARKEREVIDENCE_H
