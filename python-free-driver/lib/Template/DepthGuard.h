//===- DepthGuard.h - A limit on nested evaluation --------------------------------------------===//
// Macros can call themselves; every evaluation counts against one limit that the stack can hold.
#ifndef QRT_TEMPLATE_DEPTHGUARD_H
#define QRT_TEMPLATE_DEPTHGUARD_H

#include "Template/Interpreter.h"

namespace qrt::jinja {

struct DepthGuard {
  Interpreter &interpreter;
  explicit DepthGuard(Interpreter &in) : interpreter(in) {
    if (++in.depth > maxCallDepth) {
      --in.depth;
      failLimit("evaluation nests deeper than " + std::to_string(maxCallDepth) + " levels");
    }
  }
  ~DepthGuard() { --interpreter.depth; }
};

} // namespace qrt::jinja

#endif // QRT_TEMPLATE_DEPTHGUARD_H
