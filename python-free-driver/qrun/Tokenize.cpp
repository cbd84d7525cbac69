//===- Tokenize.cpp - qrun tokenize: texts to ids and back ------------------------------------===//
#include "Command.h"
#include "Output.h"
#include "TokenizerFile.h"

#include "Support/Json.h"

#include <iostream>

namespace qrt {

/// A line {"text": ...} of stdin gives a line {"ids": [...], "decoded": ...}: without added special
/// tokens, and with none left out of the decoded text.
static Status tokenize(const std::string &path) {
  QRT_ASSIGN_OR_RETURN(auto tokenizer, loadTokenizer(path));
  int64_t number = 0;
  for (std::string line; std::getline(std::cin, line);) {
    const std::string where = "stdin, line " + std::to_string(++number);
    if (line.find_first_not_of(" \t\r") == std::string::npos)
      continue;
    QRT_ASSIGN_OR_RETURN(Json input, parseJson(line, where));
    auto text = jsonString(input, "text");
    if (!text)
      return invalidArgument(where + ": expects {\"text\": \"...\"}");
    std::vector<int32_t> ids = tokenizer->encode(*text);
    OrderedJson result;
    result["ids"] = ids;
    result["decoded"] = tokenizer->decode(ids);
    // ASCII only: readers that split at U+2028 and the like still see one line.
    QRT_RETURN_IF_ERROR(
        writeOutput(result.dump(-1, ' ', true, OrderedJson::error_handler_t::replace) + "\n"));
  }
  return Status::ok();
}

void addTokenize(CLI::App &app, Action &action) {
  auto path = std::make_shared<std::string>();
  CLI::App *command =
      app.add_subcommand("tokenize", "Lines {\"text\": ...} to token ids and back, as JSON lines");
  command->add_option("PATH", *path, "A .qmod file, a folder or a tokenizer.json")->required();
  command->callback([&action, path] { action = [path] { return tokenize(*path); }; });
}

} // namespace qrt
