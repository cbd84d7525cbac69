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
  bool programmatic = false; ///< graphs launch a kernel before the one it follows has ended
};

struct Graph {
  CUgraphExec executable = nullptr;
};

/// Architectures of the build, ascending: "sm_80 sm_90a"; the first is the oldest that can run.
const char *builtArchitectures();
int32_t lowestCapability();
/// Kernels of this build on a device of that capability wait for the one they follow
/// (kernels/cuda/device/Launch.h): the code that it runs is for sm_90 or later. QRT_CUDA_PDL=0 says
/// no.
bool waitsInKernels(int32_t capability);

Code probe(DriverInfo *info, int32_t *deviceCount);
Code deviceInfo(int32_t device, DeviceInfo *info);
Code openContext(int32_t device, Context **context);
void closeContext(Context *context);
void fillContextFunctions(Table &table);

/// Turns every full dependency of a kernel on a kernel into a programmatic one: launched early, it
/// waits itself. Dependencies of and on copies stay.
Code makeEdgesProgrammatic(const Driver &driver, CUgraph graph);

} // namespace qrt::cuda

#endif // QRT_CUDA_CONTEXT_H
