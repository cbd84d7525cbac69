//===- qrun.cpp - Runs .qmod files -----------------------------------------------------------===//
// The exit code is the StatusCode of what went wrong (docs/cli.md).
#include "Command.h"
#include "Interrupt.h"

#include <exception>
#include <new>

using namespace qrt;

static Status run(int argc, char **argv) {
  QRT_ASSIGN_OR_RETURN(Action action, parseCommandLine(argc, argv));
  installSignalHandlers();
  return action();
}

int main(int argc, char **argv) {
  Status status = Status::ok();
  try {
    status = run(argc, argv);
  } catch (const std::bad_alloc &) {
    status = resourceExhausted("the system refused memory");
  } catch (const std::exception &error) {
    status = internalError(error.what());
  }
  if (!status)
    message(std::string(statusCodeName(status.code())) + ": " + status.message());
  return status.exitCode();
}
