//===- Loader.cpp - Finds and opens libqrt_cuda.so -------------------------------------------===//
#include "Device/Loader.h"

#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <vector>

namespace qrt {

namespace fs = std::filesystem;

static constexpr const char *libraryName = "libqrt_cuda.so";

static std::vector<fs::path> libraryFolders() {
  std::vector<fs::path> folders;
  std::error_code error;
  fs::path executable = fs::read_symlink("/proc/self/exe", error);
  if (!error)
    folders.push_back(executable.parent_path());
  Dl_info here = {};
  if (dladdr(reinterpret_cast<const void *>(&loadCudaLibrary), &here) && here.dli_fname)
    if (fs::path own = fs::path(here.dli_fname).parent_path();
        own.is_absolute() && (folders.empty() || own != folders[0]))
      folders.push_back(own);
  return folders;
}

static CudaLibrary failed(CudaLibrary library, DeviceProblem problem, const std::string &detail) {
  library.table = nullptr;
  library.problem = problem;
  library.status = deviceError(problem, detail);
  return library;
}

static CudaLibrary openLibrary(const std::string &path) {
  CudaLibrary library;
  library.path = path;
  void *handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!handle) {
    const char *why = dlerror();
    return failed(library, DeviceProblem::NoLibrary, why ? why : path);
  }
  void *symbol = dlsym(handle, cuda::tableSymbol);
  if (!symbol)
    return failed(library, DeviceProblem::VersionMismatch,
                  path + " has no " + cuda::tableSymbol + ": it is another library");
  const cuda::Table *table = reinterpret_cast<cuda::TableFunction>(symbol)();
  // The two first members are all that any version has.
  if (!table || table->abi != cuda::tableAbi || table->tableBytes != sizeof(cuda::Table))
    return failed(library, DeviceProblem::VersionMismatch,
                  path + " has interface " +
                      (table ? std::to_string(table->abi) + " (" +
                                   std::to_string(table->tableBytes) + " bytes)"
                             : "none") +
                      ", this program needs " + std::to_string(cuda::tableAbi) + " (" +
                      std::to_string(sizeof(cuda::Table)) + " bytes)");
  library.table = table;
  return library;
}

CudaLibrary loadCudaLibrary() {
  if (const char *named = std::getenv("QRT_CUDA_LIBRARY"); named && *named) {
    std::error_code error;
    if (!fs::exists(named, error))
      return failed({}, DeviceProblem::NoLibrary,
                    std::string(named) + " (QRT_CUDA_LIBRARY) does not exist");
    // A name without '/' would be searched for on the system's paths.
    return openLibrary(fs::absolute(named, error).string());
  }
  std::string searched;
  for (const fs::path &folder : libraryFolders()) {
    std::error_code error;
    if (fs::exists(folder / libraryName, error))
      return openLibrary((folder / libraryName).string());
    searched += (searched.empty() ? "" : " or ") + folder.string();
  }
  return failed({}, DeviceProblem::NoLibrary,
                std::string(libraryName) + " is not in " + searched +
                    "; the program was built without CUDA, or the file was not installed");
}

DeviceProblem deviceProblem(cuda::Code code) {
  switch (code) {
  case cuda::Code::Ok:
    return DeviceProblem::None;
  case cuda::Code::NoDriver:
    return DeviceProblem::NoDriver;
  case cuda::Code::DriverTooOld:
    return DeviceProblem::DriverTooOld;
  case cuda::Code::NoDevice:
    return DeviceProblem::NoDevice;
  case cuda::Code::NoSuchDevice:
    return DeviceProblem::NoSuchDevice;
  case cuda::Code::CapabilityTooLow:
    return DeviceProblem::CapabilityTooLow;
  case cuda::Code::OutOfMemory:
    return DeviceProblem::OutOfMemory;
  case cuda::Code::InitFailed:
    return DeviceProblem::InitFailed;
  case cuda::Code::Failed:
    return DeviceProblem::Failed;
  case cuda::Code::Lost:
    return DeviceProblem::Lost;
  }
  return DeviceProblem::InitFailed;
}

std::string cudaVersionText(int32_t version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

} // namespace qrt
