//===- PreTokenizer.h - Pieces that the model encodes one by one ------------------------------===//
// The `pre_tokenizer` of tokenizer.json: ByteLevel, Split, Digits, Punctuation, Whitespace,
// WhitespaceSplit, Metaspace, CharDelimiterSplit, BertPreTokenizer, FixedLength, Sequence. Others
// are Unsupported, by name. Thread safety: immutable after parsing.
#ifndef QRT_TOKENIZER_PRETOKENIZER_H
#define QRT_TOKENIZER_PRETOKENIZER_H

#include "Tokenizer/Normalizer.h"
#include "Tokenizer/Pattern.h"

#include <functional>
#include <vector>

namespace qrt::text {

/// A text and the pieces of it that are kept, in order, none of them empty.
struct PieceList {
  struct Piece {
    size_t begin, end;
    bool atStart; ///< as in NormalizedText
  };
  std::string text;
  std::vector<Piece> pieces;

  std::string_view view(const Piece &piece) const {
    return std::string_view(text).substr(piece.begin, piece.end - piece.begin);
  }
  /// Replaces each piece by what `pattern` and `behavior` make of it.
  void split(const Pattern &pattern, SplitBehavior behavior, bool invert = false);
  /// Rewrites each piece: `rewrite(view, atStart, out)` appends its new text to `out`.
  template <class F>
  void rewrite(F &&rewrite) {
    std::string out;
    out.reserve(text.size() + text.size() / 4);
    for (Piece &piece : pieces) {
      size_t begin = out.size();
      rewrite(view(piece), piece.atStart, out);
      piece.begin = begin;
      piece.end = out.size();
    }
    text = std::move(out);
  }
};

class PreTokenizer {
public:
  /// `json` null: none.
  static Result<PreTokenizer> fromJson(const Json &json, const std::string &where);
  void apply(PieceList &list) const;
  /// The pieces that apply() leaves are bytes, still to be written in the byte alphabet: a word is
  /// looked up as it is and rewritten only when the model has to see it.
  bool leavesBytes() const { return bytesLast; }

private:
  using Step = std::function<void(PieceList &)>;
  Status add(const Json &json, const std::string &where, int depth);
  Status addByteLevel(const JsonFields &fields);
  Status addMetaspace(const JsonFields &fields);
  void addSplit(Pattern pattern, SplitBehavior behavior, bool invert = false);
  void finishBytes();

  std::vector<Step> steps;
  bool bytesLast = false;
};

} // namespace qrt::text

#endif // QRT_TOKENIZER_PRETOKENIZER_H
