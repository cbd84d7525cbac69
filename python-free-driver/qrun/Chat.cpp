//===- Chat.cpp - qrun chat: a conversation --------------------------------------------------===//
// Turns come from -p, else from stdin, one a line, until its end or /exit. Every turn sends the
// whole conversation through the model's template; thinking of former turns stays where the
// template wants it (as reasoning_content). Only what differs from the last turn is read by the
// model again, the rest is in its KV cache. Ctrl-C ends an answer on a terminal and the command
// elsewhere (exit 130).
#include "ChatFormat.h"
#include "ChatPrinter.h"
#include "Command.h"
#include "ControlFlags.h"
#include "EngineFlags.h"
#include "GenerationSummary.h"
#include "Interrupt.h"
#include "Output.h"

#include "Generation/Generator.h"

#include <iostream>
#include <unistd.h>

namespace qrt {

namespace {

struct Flags {
  std::string model;
  std::vector<std::string> turns;
  std::string system, kwargs;
  ControlFlags controls;
  EngineFlags engine;
};

class Conversation {
public:
  Conversation(Generator &generator, ChatFormat format, GenerationRequest request,
               OrderedJson kwargs, const std::string &system)
      : generator(generator), format(std::move(format)), request(std::move(request)),
        kwargs(std::move(kwargs)), system(system),
        printer(generator.texts(), isatty(STDOUT_FILENO) != 0) {
    reset();
  }

  void reset() {
    messages = OrderedJson::array();
    if (!system.empty())
      messages.push_back({{"role", "system"}, {"content", system}});
  }

  /// Answers one turn. InvalidArgument if it does not fit; the conversation is then as before.
  Status say(const std::string &text) {
    OrderedJson asked = messages;
    asked.push_back({{"role", "user"}, {"content", text}});
    QRT_ASSIGN_OR_RETURN(request.prompt, format.encode(asked, kwargs));
    Status written = Status::ok();
    request.onToken = [&](const TokenEvent &event) {
      if (written.isOk())
        written = printer.add(event);
      return written.isOk();
    };
    QRT_ASSIGN_OR_RETURN(int number, generator.submit(request));
    std::optional<GenerationResult> result;
    while (!(result = generator.take(number))) {
      if (interruptRequested())
        generator.cancel(number);
      QRT_RETURN_IF_ERROR(generator.step());
    }
    QRT_RETURN_IF_ERROR(written);
    QRT_RETURN_IF_ERROR(printer.finish());
    ++turns;
    summary.add(*result);
    OrderedJson answer = {{"role", "assistant"}, {"content", trimmed(result->content)}};
    if (!result->reasoning.empty())
      answer["reasoning_content"] = trimmed(result->reasoning);
    messages = std::move(asked);
    messages.push_back(std::move(answer));
    return checkInterrupt();
  }

  std::string summaryText() const {
    return std::to_string(turns) + (turns == 1 ? " turn, " : " turns, ") +
           summary.text(generator.stats());
  }

private:
  static std::string trimmed(const std::string &text) {
    const size_t first = text.find_first_not_of(" \n\r\t");
    return first == text.npos ? ""
                              : text.substr(first, text.find_last_not_of(" \n\r\t") - first + 1);
  }

  Generator &generator;
  ChatFormat format;
  GenerationRequest request;
  OrderedJson kwargs;
  std::string system;
  ChatPrinter printer;
  OrderedJson messages;
  GenerationSummary summary;
  int64_t turns = 0;
};

/// Turns from stdin. On a terminal, mistakes and Ctrl-C end the turn only.
Status readTurns(Conversation &conversation) {
  const bool interactive = isatty(STDIN_FILENO) != 0;
  if (interactive)
    message("/reset forgets the conversation, /exit or Ctrl-D ends it, Ctrl-C ends an answer");
  while (true) {
    if (interactive)
      std::cerr << "> " << std::flush;
    std::string line;
    if (!std::getline(std::cin, line))
      return checkInterrupt();
    if (line.ends_with('\r'))
      line.pop_back();
    if (line == "/exit")
      return Status::ok();
    if (line == "/reset") {
      conversation.reset();
      continue;
    }
    if (line.find_first_not_of(" \t") == line.npos)
      continue;
    if (line.starts_with('/') && line.find_first_of(" \t/", 1) == line.npos) {
      Status unknown = invalidArgument("'" + line + "' is no command; there are /reset and /exit");
      if (!interactive)
        return unknown;
      message(unknown.message());
      continue;
    }
    Status said = conversation.say(line);
    if (said)
      continue;
    const bool goesOn =
        said.code() == StatusCode::Interrupted || said.code() == StatusCode::InvalidArgument;
    if (!interactive || !goesOn)
      return said;
    if (said.code() == StatusCode::Interrupted)
      clearInterrupt();
    else
      message(said.message());
  }
}

Result<OrderedJson> readKwargs(const std::string &text) {
  if (text.empty())
    return OrderedJson::object();
  QRT_ASSIGN_OR_RETURN(OrderedJson kwargs, parseOrderedJson(text, "--template-kwargs"));
  if (!kwargs.is_object())
    return invalidArgument("--template-kwargs: expects an object, as {\"enable_thinking\": false}");
  return kwargs;
}

Status chat(const Flags &flags) {
  QRT_ASSIGN_OR_RETURN(OrderedJson kwargs, readKwargs(flags.kwargs));
  QRT_ASSIGN_OR_RETURN(auto model, Model::load(flags.model));
  QRT_ASSIGN_OR_RETURN(ModelTexts texts, ModelTexts::fromModel(*model));
  QRT_ASSIGN_OR_RETURN(ChatFormat format, ChatFormat::fromModel(*model, texts));
  for (const auto &variable : kwargs.items())
    if (texts.templateSource.find(variable.key()) == std::string::npos)
      return invalidArgument("--template-kwargs: the chat template does not use '" +
                             variable.key() + "'");
  GenerationRequest request;
  QRT_RETURN_IF_ERROR(flags.controls.applyTo(request, texts));
  EngineOptions options = flags.engine.resolve();
  options.alternateWeights = request.reasoning.usesSecondSet();
  QRT_ASSIGN_OR_RETURN(auto engine, Engine::create(model, options));
  Generator generator(*engine, texts, {.prefillChunk = options.prefillChunk, .keptSequences = 1});
  QRT_ASSIGN_OR_RETURN(auto plan, generator.reasoningPlan(request.reasoning));
  Conversation conversation(generator, std::move(format), std::move(request), std::move(kwargs),
                            flags.system);
  Status status = Status::ok();
  if (flags.turns.empty())
    status = readTurns(conversation);
  for (size_t i = 0; i < flags.turns.size() && status; ++i)
    status = conversation.say(flags.turns[i]);
  message(conversation.summaryText());
  if (std::string dropped = droppedMarkersText(plan->markers); !dropped.empty())
    message(dropped);
  return status;
}

} // namespace

void addChat(CLI::App &app, Action &action) {
  auto flags = std::make_shared<Flags>();
  CLI::App *command = app.add_subcommand("chat", "Talk with a model");
  command->add_option("MODEL", flags->model, "The .qmod file")->required();
  command
      ->add_option("-p,--prompt", flags->turns,
                   "A turn, instead of lines from standard input; repeatable")
      ->allow_extra_args(false);
  command->add_option("--system", flags->system, "The system message");
  command->add_option("--template-kwargs", flags->kwargs,
                      "Variables of the chat template as JSON: {\"enable_thinking\": false}");
  flags->controls.addTo(*command);
  flags->engine.addTo(*command);
  command->callback([&action, flags] { action = [flags] { return chat(*flags); }; });
}

} // namespace qrt
