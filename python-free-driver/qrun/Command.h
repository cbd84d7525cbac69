//===- Command.h - A subcommand of qrun -------------------------------------------------------===//
// One subcommand = one file: it declares its flags on a CLI::App and says what to do when it is the
// one that was chosen. To add one: write add<Name>() in <Name>.cpp, add a line to Commands.inc and
// the file to CMakeLists.txt.
//
//   void qrt::addVerify(CLI::App &app, Action &action) {
//     auto flags = std::make_shared<Flags>();
//     CLI::App *command = app.add_subcommand("verify", "Check every rule of a file");
//     command->add_option("MODEL", flags->model, "...")->required();
//     command->callback([&action, flags] { action = [flags] { return verify(*flags); }; });
//   }
//
// Results go to stdout through Output.h, messages to stderr through message(). The returned Status
// is the exit code. A flag that would have no effect is an error (InvalidArgument), never ignored.
#ifndef QRUN_COMMAND_H
#define QRUN_COMMAND_H

#include "qrt/Status.h"

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

namespace qrt {

using Action = std::function<Status()>;

#define QRUN_COMMAND(name) void add##name(CLI::App &app, Action &action);
#include "Commands.inc"
#undef QRUN_COMMAND

/// Parses the command line; '_' in a flag is read as '-'. The action of the chosen subcommand, one
/// that prints for --help and --version, or InvalidArgument.
Result<Action> parseCommandLine(int argc, const char *const *argv);

/// "qrun 0.1.0 (avx512vnni)": what --version prints.
std::string versionText();

/// "qrun: <text>" on stderr, one line.
void message(const std::string &text);

} // namespace qrt

#endif // QRUN_COMMAND_H
