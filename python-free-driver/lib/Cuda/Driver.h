//===- Driver.h - The functions of libcuda.so.1 that the library calls -----------------------===//
// The driver is opened at run time: this library loads, and says what is missing, on machines
// without one. Only launches go through the CUDA runtime (statically linked).
#ifndef QRT_CUDA_DRIVER_H
#define QRT_CUDA_DRIVER_H

#include "kernels/cuda/Table.h"

#include <cuda.h>
#include <string>

namespace qrt::cuda {

/// F(member, function of cuda.h); macros of cuda.h add the version that its types belong to.
#define QRT_DRIVER_FUNCTIONS(F)                                                                    \
  F(init, cuInit)                                                                                  \
  F(driverGetVersion, cuDriverGetVersion)                                                          \
  F(getErrorName, cuGetErrorName)                                                                  \
  F(getErrorString, cuGetErrorString)                                                              \
  F(deviceGetCount, cuDeviceGetCount)                                                              \
  F(deviceGet, cuDeviceGet)                                                                        \
  F(deviceGetName, cuDeviceGetName)                                                                \
  F(deviceGetAttribute, cuDeviceGetAttribute)                                                      \
  F(deviceTotalMem, cuDeviceTotalMem)                                                              \
  F(primaryRetain, cuDevicePrimaryCtxRetain)                                                       \
  F(primaryRelease, cuDevicePrimaryCtxRelease)                                                     \
  F(ctxSetCurrent, cuCtxSetCurrent)                                                                \
  F(memGetInfo, cuMemGetInfo)                                                                      \
  F(memAlloc, cuMemAlloc)                                                                          \
  F(memFree, cuMemFree)                                                                            \
  F(memHostAlloc, cuMemHostAlloc)                                                                  \
  F(memFreeHost, cuMemFreeHost)                                                                    \
  F(memcpyToDevice, cuMemcpyHtoDAsync)                                                             \
  F(memcpyToHost, cuMemcpyDtoHAsync)                                                               \
  F(memset, cuMemsetD8Async)                                                                       \
  F(streamCreate, cuStreamCreate)                                                                  \
  F(streamDestroy, cuStreamDestroy)                                                                \
  F(streamSynchronize, cuStreamSynchronize)                                                        \
  F(streamQuery, cuStreamQuery)                                                                    \
  F(streamBeginCapture, cuStreamBeginCapture)                                                      \
  F(streamEndCapture, cuStreamEndCapture)                                                          \
  F(graphInstantiate, cuGraphInstantiate)                                                          \
  F(graphGetEdges, cuGraphGetEdges_v2)                                                             \
  F(graphNodeGetType, cuGraphNodeGetType)                                                          \
  F(graphRemoveDependencies, cuGraphRemoveDependencies_v2)                                         \
  F(graphAddDependencies, cuGraphAddDependencies_v2)                                               \
  F(graphUpload, cuGraphUpload)                                                                    \
  F(graphLaunch, cuGraphLaunch)                                                                    \
  F(graphDestroy, cuGraphDestroy)                                                                  \
  F(graphExecDestroy, cuGraphExecDestroy)

struct Driver {
#define QRT_DRIVER_MEMBER(member, function) decltype(&::function) member;
  QRT_DRIVER_FUNCTIONS(QRT_DRIVER_MEMBER)
#undef QRT_DRIVER_MEMBER
  int32_t version; ///< 13000 = 13.0
};

/// Opens the driver and initialises it, once per process; the answer, good or bad, is kept.
/// info->driverVersion is set where it is known. Null: code and the words say why.
const Driver *driver(Code &code, DriverInfo *info = nullptr);

/// The words of the last failure in this thread.
const char *lastErrorText();
/// Keeps the words and returns the code.
Code fail(Code code, std::string words);
/// "cuMemAlloc: CUDA_ERROR_OUT_OF_MEMORY (2): out of memory", with the code that the error means
/// for a context in use; Ok for CUDA_SUCCESS.
Code check(const Driver &driver, CUresult result, const char *what);

} // namespace qrt::cuda

#endif // QRT_CUDA_DRIVER_H
