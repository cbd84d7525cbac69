//===- Limits.h - Errors and budgets of template rendering ------------------------------------===//
// Templates are data from strangers. Everything that one can make grow is limited: source size,
// nesting of the syntax tree and of values, evaluation steps, bytes allocated in all, the size of
// one string. Inside this library errors travel as TemplateError exceptions; ChatTemplate.cpp turns
// them into a Status. Thread safety: a Budget belongs to one render().
#ifndef QRT_TEMPLATE_LIMITS_H
#define QRT_TEMPLATE_LIMITS_H

#include "qrt/Status.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace qrt::jinja {

struct TemplateError {
  StatusCode code = StatusCode::InvalidModel;
  std::string message;
  int line = 0; ///< 0: where the interpreter is
};

/// What the template does wrong.
[[noreturn]] inline void fail(std::string message) {
  throw TemplateError{StatusCode::InvalidModel, std::move(message), 0};
}
[[noreturn]] inline void failAt(int line, std::string message) {
  throw TemplateError{StatusCode::InvalidModel, std::move(message), line};
}
/// What Jinja has and this engine has not.
[[noreturn]] inline void failUnsupported(std::string message, int line = 0) {
  throw TemplateError{StatusCode::Unsupported, std::move(message), line};
}
[[noreturn]] inline void failLimit(std::string message) {
  throw TemplateError{StatusCode::ResourceExhausted, std::move(message), 0};
}

inline constexpr size_t maxSourceBytes = size_t(1) << 20;
inline constexpr int maxSyntaxDepth = 200; ///< Python's own parser stops at 200 nested parentheses
inline constexpr int maxValueDepth = 200;  ///< as parseJson allows
inline constexpr int maxCallDepth = 1200;  ///< nested evaluations, macros included
inline constexpr uint64_t maxSteps = 20'000'000;
inline constexpr uint64_t maxBytes = uint64_t(1) << 30; ///< allocated in all
inline constexpr size_t maxStringBytes = size_t(1) << 24;
inline constexpr int64_t maxRange = 100000; ///< the sandbox's own limit

class Budget {
public:
  void step(uint64_t count = 1) {
    if ((steps += count) > maxSteps)
      failLimit("the template takes more than " + std::to_string(maxSteps) + " steps");
  }
  /// Before `count` bytes are allocated; also a step per 64 bytes.
  void bytes(uint64_t count) {
    if (count > maxBytes || (allocated += count) > maxBytes)
      failLimit("the template makes more than " + std::to_string(maxBytes >> 20) +
                " MiB of values");
    step(count / 64);
  }
  /// Before a string of `count` bytes is made.
  void string(uint64_t count) {
    if (count > maxStringBytes)
      failLimit("a string grows over " + std::to_string(maxStringBytes >> 20) + " MiB");
    bytes(count + 64);
  }

private:
  uint64_t steps = 0;
  uint64_t allocated = 0;
};

} // namespace qrt::jinja

#endif // QRT_TEMPLATE_LIMITS_H
