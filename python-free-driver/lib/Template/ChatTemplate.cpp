//===- ChatTemplate.cpp - Chat templates as models bring them ---------------------------------===//
#include "Template/ChatTemplate.h"

#include "Template/Interpreter.h"
#include "Template/Parser.h"
#include "Template/Unicode.h"

namespace qrt {

using namespace jinja;

static Status toStatus(TemplateError error, int line) {
  // What the template itself raises stays as it is.
  if (error.line >= 0) {
    int at = error.line ? error.line : line;
    if (at > 0)
      error.message = "line " + std::to_string(at) + ": " + error.message;
  }
  return Status::error(error.code, std::move(error.message));
}

namespace {
class JinjaTemplate : public ChatTemplate {
public:
  explicit JinjaTemplate(Template tree) : tree(std::move(tree)) {}

  Result<std::string> render(const OrderedJson &messages, const Options &options) const override {
    if (!messages.is_array())
      return invalidArgument("messages: not an array");
    if (!options.tools.is_null() && !options.tools.is_array())
      return invalidArgument("tools: not an array");
    if (!options.kwargs.is_null() && !options.kwargs.is_object())
      return invalidArgument("template variables: not an object");
    Interpreter interpreter(tree, options.now);
    try {
      Budget &budget = interpreter.budget;
      interpreter.define("messages", fromJson(messages, budget));
      interpreter.define("tools", fromJson(options.tools, budget));
      interpreter.define("documents", Value());
      interpreter.define("add_generation_prompt", Value::boolean(options.addGenerationPrompt));
      if (options.kwargs.is_object())
        for (const auto &variable : options.kwargs.items())
          interpreter.define(variable.key(), fromJson(variable.value(), budget));
      return interpreter.run();
    } catch (TemplateError &error) {
      return toStatus(std::move(error), interpreter.line);
    } catch (const std::bad_alloc &) {
      return resourceExhausted("the template needs more memory than there is");
    }
  }

private:
  Template tree;
};
} // namespace

Result<std::shared_ptr<const ChatTemplate>> ChatTemplate::compile(std::string source) {
  if (source.size() > maxSourceBytes)
    return resourceExhausted("the template is larger than " + std::to_string(maxSourceBytes >> 10) +
                             " KiB");
  if (!isValidUtf8(source))
    return invalidModel("the template is not UTF-8");
  try {
    std::shared_ptr<const ChatTemplate> result =
        std::make_shared<JinjaTemplate>(parseTemplate(source));
    return result;
  } catch (TemplateError &error) {
    return toStatus(std::move(error), 0);
  }
}

} // namespace qrt
