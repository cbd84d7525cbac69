//===- Prompts.cpp - Prompts from the command line and from files ----------------------------===//
#include "Prompts.h"

#include "ChatFormat.h"
#include "IdsFile.h"

#include "Support/MappedFile.h"

#include <optional>

namespace qrt {

namespace {

class Reader {
public:
  Reader(const Model &model, const ModelTexts &texts) : model(model), texts(texts) {}

  Result<std::vector<int32_t>> encode(const std::string &text) const {
    if (!texts.tokenizer)
      return cannotRead("'" + model.path() + "' has no tokenizer; give token ids with --ids");
    std::vector<int32_t> ids = texts.tokenizer->encode(text);
    // What the post-processor adds, but no second bos before one that the text spells itself.
    if (auto bos = texts.tokenizer->bosId(); !bos || ids.empty() || ids.front() != *bos)
      ids = texts.tokenizer->encode(text, {.addSpecialTokens = true, .parseSpecial = true});
    return ids;
  }

  Result<std::vector<int32_t>> readLine(const OrderedJson &line) {
    static const char *const kinds[] = {"prompt", "messages", "ids"};
    const char *kind = nullptr;
    for (const char *name : kinds)
      if (line.is_object() && line.contains(name)) {
        if (kind)
          return invalidArgument(std::string("both '") + kind + "' and '" + name + "'");
        kind = name;
      }
    if (!kind)
      return invalidArgument("expects an object with \"prompt\", \"messages\" or \"ids\"");
    for (const auto &member : line.items())
      if (member.key() != kind)
        return invalidArgument("field '" + member.key() + "' would have no effect");
    const OrderedJson &value = line[kind];
    if (kind == kinds[0])
      return value.is_string() ? encode(value.get<std::string>())
                               : invalidArgument("'prompt' expects a string");
    if (kind == kinds[1])
      return encodeMessages(value);
    return readIds(value);
  }

private:
  Result<std::vector<int32_t>> encodeMessages(const OrderedJson &messages) {
    if (!messages.is_array() || messages.empty())
      return invalidArgument("'messages' expects a list of {\"role\", \"content\"}");
    for (const OrderedJson &message : messages)
      if (!message.is_object() || !message.contains("role") || !message["role"].is_string())
        return invalidArgument("'messages' expects a list of {\"role\", \"content\"}");
    if (!chat) {
      QRT_ASSIGN_OR_RETURN(chat, ChatFormat::fromModel(model, texts));
    }
    return chat->encode(messages, nullptr);
  }

  Result<std::vector<int32_t>> readIds(const OrderedJson &list) const {
    const int64_t vocab = model.program().vocabSize;
    if (!list.is_array())
      return invalidArgument("'ids' expects a list of integers");
    std::vector<int32_t> ids;
    for (const OrderedJson &id : list) {
      if (!id.is_number_integer() || id < 0 || id >= vocab)
        return invalidArgument("'ids', element " + std::to_string(ids.size()) + ": " +
                               dumpJson(id).substr(0, 40) + " is no id of the vocabulary of " +
                               std::to_string(vocab));
      ids.push_back(id.get<int32_t>());
    }
    return ids;
  }

  const Model &model;
  const ModelTexts &texts;
  std::optional<ChatFormat> chat;
};

} // namespace

static Status readJsonLines(const std::string &path, Reader &reader, std::vector<Prompt> &prompts) {
  QRT_ASSIGN_OR_RETURN(MappedFile file, MappedFile::open(path));
  std::string_view rest = file.text();
  for (int64_t number = 1; !rest.empty(); ++number) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.find_first_not_of(" \t\r") == line.npos)
      continue;
    const std::string where = path + ", line " + std::to_string(number);
    QRT_ASSIGN_OR_RETURN(OrderedJson value, parseOrderedJson(line, where));
    auto ids = reader.readLine(value);
    if (!ids)
      return ids.status().withContext(where);
    prompts.push_back({where, ids.takeValue()});
  }
  return Status::ok();
}

Result<std::vector<Prompt>> readPrompts(const PromptSources &sources, const Model &model,
                                        const ModelTexts &texts) {
  std::vector<Prompt> prompts;
  Reader reader(model, texts);
  if (!sources.idsFile.empty()) {
    QRT_ASSIGN_OR_RETURN(auto lists,
                         readIdsFile(sources.idsFile, int32_t(model.program().vocabSize)));
    for (auto &ids : lists)
      prompts.push_back(
          {sources.idsFile + ": list " + std::to_string(prompts.size()), std::move(ids)});
  }
  for (size_t i = 0; i < sources.texts.size(); ++i) {
    const std::string where = "prompt " + std::to_string(i) + " of -p";
    auto ids = reader.encode(sources.texts[i]);
    if (!ids)
      return ids.status().withContext(where);
    prompts.push_back({where, ids.takeValue()});
  }
  if (!sources.jsonLines.empty())
    QRT_RETURN_IF_ERROR(readJsonLines(sources.jsonLines, reader, prompts));
  if (prompts.empty())
    return invalidArgument("no prompt; give -p TEXT, --ids FILE or --prompts FILE");
  for (const Prompt &prompt : prompts)
    if (prompt.ids.empty())
      return invalidArgument(prompt.name + " is empty; a prompt needs at least one token");
  return prompts;
}

} // namespace qrt
