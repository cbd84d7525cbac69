//===- Output.cpp - Results on stdout --------------------------------------------------------===//
#include "Output.h"

#include "Interrupt.h"

#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace qrt {

Status writeOutput(std::string_view text) {
  while (!text.empty()) {
    ssize_t done = ::write(STDOUT_FILENO, text.data(), text.size());
    if (done < 0 && errno == EINTR) {
      QRT_RETURN_IF_ERROR(checkInterrupt());
      continue;
    }
    if (done < 0)
      return cannotWrite(std::string("standard output: ") + std::strerror(errno));
    text.remove_prefix(static_cast<size_t>(done));
  }
  return Status::ok();
}

Status writeJson(const OrderedJson &value, int indent) {
  return writeOutput(dumpJson(value, indent) + "\n");
}
Status writeJson(const Json &value, int indent) {
  return writeOutput(dumpJson(value, indent) + "\n");
}

} // namespace qrt
