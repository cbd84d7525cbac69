//===- Status.cpp - Names of the status codes ------------------------------------------------===//
#include "qrt/Status.h"

namespace qrt {

const char *statusCodeName(StatusCode code) {
  switch (code) {
  case StatusCode::Ok:
    return "ok";
  case StatusCode::Internal:
    return "internal error";
  case StatusCode::InvalidArgument:
    return "invalid argument";
  case StatusCode::CannotRead:
    return "cannot read";
  case StatusCode::InvalidModel:
    return "invalid model";
  case StatusCode::Unsupported:
    return "unsupported";
  case StatusCode::BadCalibration:
    return "bad calibration data";
  case StatusCode::ResourceExhausted:
    return "not enough memory";
  case StatusCode::GateFailed:
    return "quality gate failed";
  case StatusCode::TargetUnreachable:
    return "target unreachable";
  case StatusCode::CannotWrite:
    return "cannot write";
  case StatusCode::ResumeMismatch:
    return "resume mismatch";
  case StatusCode::CodegenFailed:
    return "code generation failed";
  case StatusCode::DeviceMissing:
    return "device missing";
  case StatusCode::Interrupted:
    return "interrupted";
  }
  return "unknown status";
}

} // namespace qrt
