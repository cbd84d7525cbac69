//===- FlagChecks.h - Flags that refine what may be switched off -----------------------------===//
#ifndef QRUN_FLAGCHECKS_H
#define QRUN_FLAGCHECKS_H

#include "qrt/Status.h"

#include <initializer_list>
#include <string>

namespace qrt {

struct GivenFlag {
  bool given;
  const char *flag;
};

/// InvalidArgument for the first flag that was given while what it refines is not active.
inline Status needs(std::initializer_list<GivenFlag> flags, bool active,
                    const std::string &control) {
  for (const GivenFlag &flag : flags)
    if (flag.given && !active)
      return invalidArgument(std::string(flag.flag) + " has no effect without " + control);
  return Status::ok();
}

/// Sets a field where its flag, an optional, was given.
template <class Field, class Flag>
void assign(Field &field, const Flag &flag) {
  if (flag)
    field = *flag;
}

} // namespace qrt

#endif // QRUN_FLAGCHECKS_H
