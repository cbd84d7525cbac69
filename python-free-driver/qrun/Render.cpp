//===- Render.cpp - qrun render: conversations through the chat template ----------------------===//
#include "Command.h"
#include "Output.h"

#include "Support/Json.h"
#include "Support/MappedFile.h"
#include "Template/ChatTemplate.h"
#include "qrt/Model.h"

#include <filesystem>
#include <iostream>

namespace fs = std::filesystem;

namespace qrt {

namespace {
/// A template with the variables that the model's configuration adds.
struct TemplateFile {
  std::shared_ptr<const ChatTemplate> compiled;
  OrderedJson variables;
};
} // namespace

/// The text of a file, "" if there is none.
static Result<std::string> readOptional(const fs::path &path) {
  std::error_code error;
  if (!fs::exists(path, error))
    return std::string();
  QRT_ASSIGN_OR_RETURN(auto file, MappedFile::open(path.string()));
  return std::string(reinterpret_cast<const char *>(file.bytes().data()), file.bytes().size());
}

static Result<TemplateFile> loadTemplate(const std::string &path) {
  std::string text, config;
  std::error_code error;
  fs::path file(path);
  if (fs::is_directory(file, error)) {
    QRT_ASSIGN_OR_RETURN(text, readOptional(file / "chat_template.jinja"));
    if (text.empty()) {
      QRT_ASSIGN_OR_RETURN(text, readOptional(file / "template.jinja"));
    }
    QRT_ASSIGN_OR_RETURN(config, readOptional(file / "tokenizer_config.json"));
  } else if (file.extension() == ".jinja") {
    QRT_ASSIGN_OR_RETURN(auto mapped, MappedFile::open(path));
    text.assign(reinterpret_cast<const char *>(mapped.bytes().data()), mapped.bytes().size());
  } else {
    QRT_ASSIGN_OR_RETURN(auto model, Model::load(path));
    text = std::string(model->section(SectionKind::ChatTemplate));
    config = std::string(model->section(SectionKind::TokenizerConfig));
  }
  QRT_ASSIGN_OR_RETURN(std::string source, findTemplateSource(text, config));
  if (source.empty())
    return cannotRead("'" + path + "' has no chat template");
  auto compiled = ChatTemplate::compile(std::move(source));
  if (!compiled)
    return compiled.status().withContext("chat template");
  return TemplateFile{*compiled, templateVariables(config)};
}

static Result<std::string> renderLine(const TemplateFile &file, const OrderedJson &input) {
  if (!input.is_object() || !input.contains("messages"))
    return invalidArgument("expects {\"messages\": [...]}");
  ChatTemplate::Options options;
  options.kwargs = file.variables;
  OrderedJson messages;
  for (const auto &field : input.items()) {
    const OrderedJson &value = field.value();
    if (field.key() == "messages") {
      messages = value;
    } else if (field.key() == "add_generation_prompt") {
      if (!value.is_boolean())
        return invalidArgument("add_generation_prompt: not a boolean");
      options.addGenerationPrompt = value.get<bool>();
    } else if (field.key() == "tools") {
      options.tools = value;
    } else if (field.key() == "kwargs") {
      if (!value.is_object())
        return invalidArgument("kwargs: not an object");
      options.kwargs.update(value);
    } else {
      return invalidArgument("unknown field '" + field.key() + "'");
    }
  }
  return file.compiled->render(messages, options);
}

/// A line {"messages": [...], "add_generation_prompt": ..., "tools": ..., "kwargs": {...}} of stdin
/// gives a line {"text": ...}. The generation prompt is added unless the line says no.
static Status render(const std::string &path) {
  QRT_ASSIGN_OR_RETURN(TemplateFile file, loadTemplate(path));
  int64_t number = 0;
  for (std::string line; std::getline(std::cin, line);) {
    const std::string where = "stdin, line " + std::to_string(++number);
    if (line.find_first_not_of(" \t\r") == std::string::npos)
      continue;
    QRT_ASSIGN_OR_RETURN(OrderedJson input, parseOrderedJson(line, where));
    auto text = renderLine(file, input);
    if (!text)
      return text.status().withContext(where);
    OrderedJson result;
    result["text"] = *text;
    // ASCII only: readers that split at U+2028 and the like still see one line.
    QRT_RETURN_IF_ERROR(
        writeOutput(result.dump(-1, ' ', true, OrderedJson::error_handler_t::replace) + "\n"));
  }
  return Status::ok();
}

void addRender(CLI::App &app, Action &action) {
  auto path = std::make_shared<std::string>();
  CLI::App *command = app.add_subcommand(
      "render", "Lines {\"messages\": [...]} through the chat template, as JSON lines");
  command->add_option("PATH", *path, "A .qmod file, a folder or a template.jinja")->required();
  command->callback([&action, path] { action = [path] { return render(*path); }; });
}

} // namespace qrt
