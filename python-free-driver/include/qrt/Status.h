//===- qrt/Status.h - Errors as values -------------------------------------------------------===//
// Every fallible function of the runtime returns a Status or a Result<T>; no exception crosses a
// library boundary. The numeric values of StatusCode ARE the exit codes of the commands, so that a
// script can tell a bad file from a bad option (docs/cli.md).
// Thread safety: values; no shared state.
#ifndef QRT_STATUS_H
#define QRT_STATUS_H

#include <cassert>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace qrt {

enum class StatusCode : int {
  Ok = 0,
  Internal = 1,
  InvalidArgument = 2,
  CannotRead = 3,
  InvalidModel = 4,
  Unsupported = 5,
  BadCalibration = 6,
  ResourceExhausted = 7,
  GateFailed = 8,
  TargetUnreachable = 9,
  CannotWrite = 10,
  ResumeMismatch = 11,
  CodegenFailed = 12,
  DeviceMissing = 13,
  Interrupted = 130,
};

/// "invalid model", "cannot read" ...: the words that stand before a message.
const char *statusCodeName(StatusCode code);

/// Success, or a code with a message that names the thing that is wrong.
class [[nodiscard]] Status {
public:
  Status() = default;
  static Status ok() { return {}; }
  static Status error(StatusCode code, std::string message) {
    assert(code != StatusCode::Ok);
    Status status;
    status.statusCode = code;
    status.text = std::move(message);
    return status;
  }

  bool isOk() const { return statusCode == StatusCode::Ok; }
  explicit operator bool() const { return isOk(); }
  StatusCode code() const { return statusCode; }
  const std::string &message() const { return text; }
  /// The value to return from main().
  int exitCode() const { return static_cast<int>(statusCode); }
  /// The same error with "context: " before its message; success stays success.
  Status withContext(const std::string &context) const {
    return isOk() ? *this : error(statusCode, context + ": " + text);
  }

private:
  StatusCode statusCode = StatusCode::Ok;
  std::string text;
};

inline Status internalError(std::string m) {
  return Status::error(StatusCode::Internal, std::move(m));
}
inline Status invalidArgument(std::string m) {
  return Status::error(StatusCode::InvalidArgument, std::move(m));
}
inline Status cannotRead(std::string m) {
  return Status::error(StatusCode::CannotRead, std::move(m));
}
inline Status invalidModel(std::string m) {
  return Status::error(StatusCode::InvalidModel, std::move(m));
}
inline Status unsupported(std::string m) {
  return Status::error(StatusCode::Unsupported, std::move(m));
}
inline Status resourceExhausted(std::string m) {
  return Status::error(StatusCode::ResourceExhausted, std::move(m));
}
inline Status cannotWrite(std::string m) {
  return Status::error(StatusCode::CannotWrite, std::move(m));
}

/// A value, or the Status that says why there is none. Reading the value of an error is a bug
/// (asserted).
template <class T>
class [[nodiscard]] Result {
public:
  using ValueType = T;

  Result(Status error) : error(std::move(error)) {
    assert(!this->error.isOk() && "a Result made of a Status needs an error");
  }
  template <class U = T, class = std::enable_if_t<std::is_convertible_v<U &&, T> &&
                                                  !std::is_same_v<std::decay_t<U>, Status> &&
                                                  !std::is_same_v<std::decay_t<U>, Result>>>
  Result(U &&value) : value(std::forward<U>(value)) {}

  bool isOk() const { return value.has_value(); }
  explicit operator bool() const { return isOk(); }
  /// Ok where there is a value.
  const Status &status() const { return error; }

  T &operator*() & {
    assert(value);
    return *value;
  }
  const T &operator*() const & {
    assert(value);
    return *value;
  }
  T &&operator*() && {
    assert(value);
    return std::move(*value);
  }
  T *operator->() {
    assert(value);
    return &*value;
  }
  const T *operator->() const {
    assert(value);
    return &*value;
  }
  T takeValue() {
    assert(value);
    return std::move(*value);
  }

private:
  std::optional<T> value;
  Status error;
};

} // namespace qrt

#define QRT_CONCAT_IMPL(a, b) a##b
#define QRT_CONCAT(a, b) QRT_CONCAT_IMPL(a, b)

/// Returns from the enclosing function if `expr` (a Status) is an error.
#define QRT_RETURN_IF_ERROR(...)                                                                   \
  do {                                                                                             \
    if (::qrt::Status qrtStatus = (__VA_ARGS__); !qrtStatus.isOk())                                \
      return qrtStatus;                                                                            \
  } while (false)

/// QRT_ASSIGN_OR_RETURN(auto file, MappedFile::open(path)): declares or assigns, or returns the
/// error.
#define QRT_ASSIGN_OR_RETURN(decl, ...)                                                            \
  auto QRT_CONCAT(qrtResult, __LINE__) = (__VA_ARGS__);                                            \
  if (!QRT_CONCAT(qrtResult, __LINE__).isOk())                                                     \
    return QRT_CONCAT(qrtResult, __LINE__).status();                                               \
  decl = QRT_CONCAT(qrtResult, __LINE__).takeValue()

#endif // QRT_STATUS_H
