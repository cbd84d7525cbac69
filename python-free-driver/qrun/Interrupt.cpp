//===- Interrupt.cpp - Ctrl-C as a Status ----------------------------------------------------===//
#include "Interrupt.h"

#include <atomic>
#include <csignal>

namespace qrt {

static std::atomic<bool> requested = false;
static_assert(std::atomic<bool>::is_always_lock_free, "set by a signal handler");

static void install(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  action.sa_flags = 0; // no SA_RESTART: a read from the terminal has to return
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

static void onSignal(int) {
  requested = true;
  install(SIG_DFL);
}

void installSignalHandlers() {
  install(onSignal);
  std::signal(SIGPIPE, SIG_IGN);
}

bool interruptRequested() { return requested; }

Status checkInterrupt() {
  if (requested)
    return Status::error(StatusCode::Interrupted, "by a signal");
  return Status::ok();
}

void clearInterrupt() {
  requested = false;
  install(onSignal);
}

} // namespace qrt
