//===- Normalizer.h - What a text becomes before it is split ----------------------------------===//
// The `normalizer` of tokenizer.json: NFC, NFD, NFKC, NFKD, Lowercase, Strip, StripAccents,
// Replace, Prepend, Nmt, BertNormalizer, ByteLevel, Sequence. Others are Unsupported, by name.
// Thread safety: immutable after parsing.
#ifndef QRT_TOKENIZER_NORMALIZER_H
#define QRT_TOKENIZER_NORMALIZER_H

#include "Tokenizer/JsonFields.h"

#include <functional>
#include <vector>

namespace qrt::text {

/// A stretch of the input between added tokens, as far as it is normalized.
struct NormalizedText {
  std::string text;
  /// The first character stems from the first one of the whole input: some pre-tokenizers treat the
  /// start of the input in their own way.
  bool atStart = false;
};

class Normalizer {
public:
  /// `json` null: none.
  static Result<Normalizer> fromJson(const Json &json, const std::string &where);
  void apply(NormalizedText &text) const;

private:
  using Step = std::function<void(NormalizedText &)>;
  Status add(const Json &json, const std::string &where, int depth);
  Status addReplace(const JsonFields &fields);
  Status addBert(const JsonFields &fields);

  std::vector<Step> steps;
};

} // namespace qrt::text

#endif // QRT_TOKENIZER_NORMALIZER_H
