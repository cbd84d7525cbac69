//===- Context.h - One open device: memory, a stream, graphs ---------------------------------===//
// The functions behind qrt::cuda::Table; its contract holds here.
#ifndef QRT_CUDA_CONTEXT_H
#define QRT_CUDA_CONTEXT_H

#include "Cuda/Driver.h"

namespace qrt::cuda {

struct Context {
  const Driver *driver = nullptr;
  CUdevice device = 0;
  CUcontext handle = nullptr;
  CUstream stream = nullptr;
  Launch launch;
};

struct Graph {
  CUgraphExec executable = nullptr;
};

/// Architectures of the build, ascending: "sm_80 sm_90a"; the first is the oldest that can run.
const char *builtArchitectures();
int32_t lowestCapability();

Code probe(DriverInfo *info, int32_t *deviceCount);
Code deviceInfo(int32_t device, DeviceInfo *info);
Code openContext(int32_t device, Context **context);
void closeContext(Context *context);
void fillContextFunctions(Table &table);

} // namespace qrt::cuda

#endif // QRT_CUDA_CONTEXT_H
