//===- TokenModel.h - From a piece of text to ids ---------------------------------------------===//
// The `model` of tokenizer.json. Thread safety: immutable after parsing.
#ifndef QRT_TOKENIZER_TOKENMODEL_H
#define QRT_TOKENIZER_TOKENMODEL_H

#include "Tokenizer/Vocabulary.h"

#include <memory>

namespace qrt::text {

class TokenModel {
public:
  /// Picks the model by "type". Unsupported for a type that is not implemented, by name.
  static Result<std::unique_ptr<TokenModel>> fromJson(const Json &json);
  virtual ~TokenModel() = default;

  /// Appends the ids of `piece`: valid UTF-8, not empty.
  virtual void encode(std::string_view piece, std::vector<int32_t> &ids) const = 0;
  const Vocabulary &vocabulary() const { return vocab; }
  /// A character before which a piece may be cut without changing its ids, unless the character
  /// stands there too: no token reaches over such a place. "" if there is none. Short pieces can be
  /// remembered.
  std::string_view seam() const { return seamMark; }

protected:
  explicit TokenModel(Vocabulary vocab) : vocab(std::move(vocab)) {}
  Vocabulary vocab;
  std::string seamMark;
};

Result<std::unique_ptr<TokenModel>> parseBpe(const JsonFields &fields);

} // namespace qrt::text

#endif // QRT_TOKENIZER_TOKENMODEL_H
