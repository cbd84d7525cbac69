//===- CommandLine.cpp - From argv to the action of a subcommand -----------------------------===//
#include "Command.h"
#include "Output.h"

#include "kernels/cpu/Isa.h"

#include <algorithm>
#include <cstdio>
#include <vector>

namespace qrt {

std::string versionText() {
  std::string isa = "scalar";
  if (auto requested = kernels::requestedIsa())
    isa = kernels::isaName(*requested);
  return std::string("qrun ") + QRT_VERSION + " (" + isa + ")";
}

void message(const std::string &text) { std::fprintf(stderr, "qrun: %s\n", text.c_str()); }

/// Reads --foo_bar as --foo-bar and -ctk, -ctv as --ctk, --ctv; the value after '=' is left alone,
/// and so is what follows "--".
static std::vector<std::string> normaliseFlags(int argc, const char *const *argv) {
  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  for (std::string &argument : arguments) {
    if (argument == "--")
      break;
    if (argument.starts_with("-ctk") || argument.starts_with("-ctv"))
      argument.insert(0, "-");
    if (argument.starts_with("--"))
      std::replace(argument.begin(),
                   argument.begin() + ptrdiff_t(std::min(argument.find('='), argument.size())), '_',
                   '-');
  }
  return arguments;
}

Result<Action> parseCommandLine(int argc, const char *const *argv) {
  // The callbacks run inside parse() and set the action; the flags live in what it captures.
  Action action;
  CLI::App app("Runs language models from .qmod files.\n"
               "Results go to stdout, messages to stderr; exit codes: docs/cli.md.",
               "qrun");
  app.set_version_flag("--version", versionText(), "Print version and instruction set");
  app.require_subcommand(1);
  app.fallthrough(false);
#define QRUN_COMMAND(name) add##name(app, action);
#include "Commands.inc"
#undef QRUN_COMMAND

  std::vector<std::string> arguments = normaliseFlags(argc, argv);
  std::reverse(arguments.begin(), arguments.end()); // the order parse() wants
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::CallForHelp &) {
    return Action([text = app.help()] { return writeOutput(text); });
  } catch (const CLI::CallForAllHelp &) {
    return Action([text = app.help("", CLI::AppFormatMode::All)] { return writeOutput(text); });
  } catch (const CLI::CallForVersion &) {
    return Action([] { return writeOutput(versionText() + "\n"); });
  } catch (const CLI::ParseError &error) {
    std::string hint =
        app.get_subcommands().empty() ? "" : app.get_subcommands()[0]->get_name() + " ";
    return invalidArgument(std::string(error.what()) + "; see qrun " + hint + "--help");
  }
  return action;
}

} // namespace qrt
