//===- RunQrun.h - Runs the command in a process of its own ----------------------------------===//
#ifndef QRT_TEST_RUNQRUN_H
#define QRT_TEST_RUNQRUN_H

#include <array>
#include <cstdio>
#include <string>
#include <sys/wait.h>

namespace qrt::test {

struct Outcome {
  int code = -1;
  std::string output; ///< stdout, and stderr where it was asked for
};

/// `environment`: assignments for env(1).
inline Outcome runQrun(const std::string &environment, const std::string &arguments,
                       bool withErrors = true) {
  const std::string command = "env -u QRT_CUDA_LIBRARY " + environment + " " QRT_QRUN " " +
                              arguments + (withErrors ? " 2>&1" : " 2>/dev/null");
  Outcome outcome;
  FILE *pipe = popen(command.c_str(), "r");
  if (!pipe)
    return outcome;
  std::array<char, 4096> buffer;
  while (size_t bytes = fread(buffer.data(), 1, buffer.size(), pipe))
    outcome.output.append(buffer.data(), bytes);
  const int status = pclose(pipe);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

} // namespace qrt::test

#endif // QRT_TEST_RUNQRUN_H
