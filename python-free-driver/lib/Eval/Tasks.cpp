//===- Tasks.cpp - Problems with answers that can be checked ----------------------------------===//
#include "Eval/Tasks.h"

#include "Support/MappedFile.h"
#include "Tokenizer/Regex.h"
#ifdef QRT_WITH_TEMPLATE
#include "Template/ChatTemplate.h"
#endif

namespace qrt {
namespace {

Result<Task> parseTask(std::string_view line) {
  QRT_ASSIGN_OR_RETURN(OrderedJson json, parseOrderedJson(line, "task"));
  Task task;
  if (!json.is_object())
    return invalidArgument("not a JSON object");
  auto text = [&](const char *key, std::string &out) {
    if (auto it = json.find(key); it != json.end())
      out = it->is_string() ? it->get<std::string>() : it->dump();
  };
  if (!json.contains("answer"))
    return invalidArgument("\"answer\" is missing");
  text("id", task.id);
  text("benchmark", task.benchmark);
  text("answer", task.answer);
  text("prompt", task.prompt);
  std::string checker = "boxed";
  text("checker", checker);
  const std::pair<const char *, Checker> checkers[] = {{"boxed", Checker::Boxed},
                                                       {"choice", Checker::Choice},
                                                       {"exact", Checker::Exact},
                                                       {"regex", Checker::Regex}};
  bool known = false;
  for (auto [name, value] : checkers)
    if (checker == name) {
      task.checker = value;
      known = true;
    }
  if (!known)
    return invalidArgument("checker '" + checker + "' is not boxed, choice, exact or regex");
  if (task.checker == Checker::Regex)
    if (auto compiled = text::Regex::compile(task.answer); !compiled)
      return compiled.status().withContext("\"answer\"");
  if (auto it = json.find("messages"); it != json.end() && it->is_array())
    task.messages = *it;
  if (auto it = json.find("ids"); it != json.end() && it->is_array())
    for (const OrderedJson &id : *it) {
      if (!id.is_number_integer())
        return invalidArgument("\"ids\" is not a list of token ids");
      task.ids.push_back(id.get<int32_t>());
    }
  const int given = !task.messages.is_null() + !task.prompt.empty() + !task.ids.empty();
  if (given != 1)
    return invalidArgument("needs exactly one of \"messages\", \"prompt\" and \"ids\"");
  return task;
}

} // namespace

Result<std::vector<Task>> readTasks(const std::string &path, int64_t limit) {
  QRT_ASSIGN_OR_RETURN(MappedFile file, MappedFile::open(path));
  std::string_view text = file.text();
  std::vector<Task> tasks;
  for (int64_t number = 1; !text.empty() && (limit < 0 || int64_t(tasks.size()) < limit);
       ++number) {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos)
      continue;
    auto task = parseTask(line);
    if (!task)
      return task.status().withContext(path + ": line " + std::to_string(number));
    if (task->id.empty())
      task->id = std::to_string(number);
    tasks.push_back(task.takeValue());
  }
  if (tasks.empty())
    return invalidArgument(path + ": no tasks");
  return tasks;
}

Result<std::vector<std::vector<int32_t>>> taskPrompts(const std::vector<Task> &tasks,
                                                      const ModelTexts &texts) {
  std::vector<std::vector<int32_t>> prompts;
#ifdef QRT_WITH_TEMPLATE
  std::shared_ptr<const ChatTemplate> chat;
#endif
  for (const Task &task : tasks) {
    if (!task.ids.empty()) {
      prompts.push_back(task.ids);
      continue;
    }
    if (!texts.tokenizer)
      return invalidArgument("task " + task.id + " is text, and the model has no tokenizer");
    std::string prompt = task.prompt;
    if (!task.messages.is_null()) {
#ifdef QRT_WITH_TEMPLATE
      if (!chat) {
        if (texts.templateSource.empty())
          return invalidArgument("task " + task.id +
                                 " has messages, and the model has no chat template");
        QRT_ASSIGN_OR_RETURN(chat, ChatTemplate::compile(texts.templateSource));
      }
      auto rendered = chat->render(task.messages, {});
      if (!rendered)
        return rendered.status().withContext("task " + task.id);
      prompt = rendered.takeValue();
#else
      return unsupported("task " + task.id + ": this build has no chat templates");
#endif
    }
    prompts.push_back(texts.tokenizer->encode(
        prompt, {.addSpecialTokens = !task.prompt.empty(), .parseSpecial = true}));
  }
  return prompts;
}

} // namespace qrt
