//===- Driver.cpp - Opens libcuda.so.1 and names its errors ----------------------------------===//
#include "Cuda/Driver.h"

#include <dlfcn.h>
#include <mutex>

namespace qrt::cuda {

static thread_local std::string errorWords;

const char *lastErrorText() { return errorWords.c_str(); }

Code fail(Code code, std::string words) {
  errorWords = std::move(words);
  return code;
}

static std::string describe(const Driver &driver, CUresult result, const char *what) {
  const char *name = nullptr, *words = nullptr;
  driver.getErrorName(result, &name);
  driver.getErrorString(result, &words);
  std::string text = std::string(what) + ": " + (name ? name : "unknown error") + " (" +
                     std::to_string(int(result)) + ")";
  return words ? text + ": " + words : text;
}

/// After these the context answers every call with the same error.
static bool isSticky(CUresult result) {
  switch (result) {
  case CUDA_ERROR_ILLEGAL_ADDRESS:
  case CUDA_ERROR_LAUNCH_FAILED:
  case CUDA_ERROR_LAUNCH_TIMEOUT:
  case CUDA_ERROR_MISALIGNED_ADDRESS:
  case CUDA_ERROR_ILLEGAL_INSTRUCTION:
  case CUDA_ERROR_INVALID_ADDRESS_SPACE:
  case CUDA_ERROR_INVALID_PC:
  case CUDA_ERROR_HARDWARE_STACK_ERROR:
  case CUDA_ERROR_ASSERT:
  case CUDA_ERROR_ECC_UNCORRECTABLE:
  case CUDA_ERROR_NVLINK_UNCORRECTABLE:
  case CUDA_ERROR_CONTEXT_IS_DESTROYED:
    return true;
  default:
    return false;
  }
}

Code check(const Driver &driver, CUresult result, const char *what) {
  if (result == CUDA_SUCCESS)
    return Code::Ok;
  return fail(result == CUDA_ERROR_OUT_OF_MEMORY ? Code::OutOfMemory
              : isSticky(result)                 ? Code::Lost
                                                 : Code::Failed,
              describe(driver, result, what));
}

namespace {
struct Opened {
  Driver driver = {};
  Code code = Code::Ok;
  std::string words;
};
} // namespace

/// A driver of the toolkit's major version is enough (minor version compatibility).
static constexpr int32_t requiredVersion = CUDA_VERSION / 1000 * 1000;

static std::string versionText(int32_t version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

static Opened openDriver() {
  Opened out;
  auto failed = [&](Code code, const std::string &words) {
    out.code = code;
    out.words = words;
    return out;
  };
  void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!library) {
    const char *why = dlerror();
    return failed(Code::NoDriver, why ? why : "libcuda.so.1");
  }
  const char *missing = nullptr;
#define QRT_STRING_IMPL(text) #text
#define QRT_STRING(text) QRT_STRING_IMPL(text)
#define QRT_DRIVER_LOAD(member, function)                                                          \
  out.driver.member =                                                                              \
      reinterpret_cast<decltype(out.driver.member)>(dlsym(library, QRT_STRING(function)));         \
  if (!out.driver.member && !missing)                                                              \
    missing = QRT_STRING(function);
  QRT_DRIVER_FUNCTIONS(QRT_DRIVER_LOAD)
#undef QRT_DRIVER_LOAD
  // The version can be asked before cuInit, and says more than an entry point that is not there.
  if (out.driver.driverGetVersion)
    out.driver.driverGetVersion(&out.driver.version);
  if (out.driver.version > 0 && out.driver.version < requiredVersion)
    return failed(Code::DriverTooOld, "it is for CUDA " + versionText(out.driver.version) +
                                          ", this program needs " + versionText(requiredVersion));
  if (missing)
    return failed(Code::NoDriver, std::string("libcuda.so.1 has no ") + missing);
  const CUresult result = out.driver.init(0);
  if (result == CUDA_SUCCESS)
    return out;
  const std::string words = describe(out.driver, result, "cuInit");
  if (result == CUDA_ERROR_NO_DEVICE)
    return failed(Code::NoDevice, words);
  if (result == CUDA_ERROR_SYSTEM_DRIVER_MISMATCH || result == CUDA_ERROR_STUB_LIBRARY)
    return failed(Code::NoDriver, words);
  if (result == CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE)
    return failed(Code::DriverTooOld, words);
  if (result == CUDA_ERROR_OUT_OF_MEMORY)
    return failed(Code::OutOfMemory, words);
  return failed(Code::InitFailed, words);
}

const Driver *driver(Code &code, DriverInfo *info) {
  static const Opened opened = openDriver();
  if (info)
    *info = {opened.driver.version, CUDA_VERSION};
  code = opened.code;
  if (code == Code::Ok)
    return &opened.driver;
  fail(code, opened.words);
  return nullptr;
}

} // namespace qrt::cuda
