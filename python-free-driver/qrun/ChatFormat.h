//===- ChatFormat.h - A conversation as the model's prompt -----------------------------------===//
// Chat template and tokenizer of a model together.
#ifndef QRUN_CHATFORMAT_H
#define QRUN_CHATFORMAT_H

#include "Generation/ModelTexts.h"
#include "Support/Json.h"
#include "qrt/Model.h"

#include <functional>
#include <string>
#include <vector>

namespace qrt {

class ChatFormat {
public:
  /// CannotRead "M.qmod has no chat template" (or tokenizer), or the errors of the template.
  static Result<ChatFormat> fromModel(const Model &model, const ModelTexts &texts);

  /// `messages`: [{"role", "content"}, ...]; `kwargs`: an object of further variables, or null. The
  /// prompt ends where the assistant's answer begins.
  Result<std::vector<int32_t>> encode(const OrderedJson &messages, const OrderedJson &kwargs) const;

private:
  std::shared_ptr<const Tokenizer> tokenizer;
  std::function<Result<std::string>(const OrderedJson &, const OrderedJson &)> render;
};

} // namespace qrt

#endif // QRUN_CHATFORMAT_H
