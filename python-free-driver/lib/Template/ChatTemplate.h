//===- ChatTemplate.h - Chat templates as models bring them -----------------------------------===//
// Renders the Jinja templates of model files as the transformers library does: trim_blocks,
// lstrip_blocks, loop controls, generation blocks, tojson, raise_exception, strftime_now, and the
// filters, tests and methods that templates use. What is not supported is an error that names line
// and construct, never other text. Hostile input: source size, nesting, steps and output are
// limited. Thread safety: immutable after compile(); render() may run in several threads.
#ifndef QRT_TEMPLATE_CHATTEMPLATE_H
#define QRT_TEMPLATE_CHATTEMPLATE_H

#include "Support/Json.h"
#include "qrt/Status.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace qrt {

class ChatTemplate {
public:
  /// InvalidModel: "line 3: ..." for a syntax error.
  static Result<std::shared_ptr<const ChatTemplate>> compile(std::string source);
  virtual ~ChatTemplate() = default;

  struct Options {
    bool addGenerationPrompt = true;
    OrderedJson tools;  ///< array; null: none
    OrderedJson kwargs; ///< object: further variables (enable_thinking, bos_token, date_string ...)
    std::optional<int64_t> now; ///< seconds since 1970 for strftime_now; absent: the clock
  };
  /// `messages`: array of objects. InvalidArgument with the template's own text for
  /// raise_exception, InvalidModel for what the template does wrong.
  virtual Result<std::string> render(const OrderedJson &messages, const Options &options) const = 0;
};

/// The template of a model: the `chat_template` file's text, or that of tokenizer_config.json
/// (string, or list of named ones: "default"); "" if there is none.
Result<std::string> findTemplateSource(std::string_view templateFile,
                                       std::string_view tokenizerConfig);

/// What tokenizer_config.json passes to every template: bos_token, eos_token, ... as strings.
OrderedJson templateVariables(std::string_view tokenizerConfig);

} // namespace qrt

#endif // QRT_TEMPLATE_CHATTEMPLATE_H
