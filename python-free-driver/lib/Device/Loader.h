//===- Loader.h - Finds and opens libqrt_cuda.so ---------------------------------------------===//
// The library is looked for beside the executable, then beside the file that holds this code (the
// C interface is a shared library); QRT_CUDA_LIBRARY names another one, for tests. It is never
// unloaded: its CUDA runtime has exit handlers.
// Thread safety: free functions; the table is immutable.
#ifndef QRT_DEVICE_LOADER_H
#define QRT_DEVICE_LOADER_H

#include "kernels/cuda/Table.h"
#include "qrt/Device.h"

#include <string>

namespace qrt {

struct CudaLibrary {
  const cuda::Table *table = nullptr; ///< null: there is a problem
  std::string path;                   ///< of the file that was found, "" if none
  DeviceProblem problem = DeviceProblem::None;
  Status status;
};

/// Loads the library and checks its version; calls nothing in it.
CudaLibrary loadCudaLibrary();

/// The problem that a code of the table stands for.
DeviceProblem deviceProblem(cuda::Code code);

/// "13.0" of 13000.
std::string cudaVersionText(int32_t version);

} // namespace qrt

#endif // QRT_DEVICE_LOADER_H
