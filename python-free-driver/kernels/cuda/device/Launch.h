//===- Launch.h - launching a kernel ------------------------------------------===//
//
// launchKernel<K>(launch, grid, sharedBytes, params[, threads]) runs K::run(params) on K::threads
// threads per block, or on fewer if it is told so: on the stream by nvcc, on the emulator
// elsewhere. Returns 0 or the number of a cudaError_t. An empty grid launches nothing.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_DEVICE_LAUNCH_H
#define QRT_KERNELS_CUDA_DEVICE_LAUNCH_H

#include "kernels/cuda/Ops.h"
#include "kernels/cuda/device/Simt.h"

#ifndef __CUDACC__
#include "kernels/cuda/emulator/Stream.h"
#endif

namespace qrt::cuda {

inline constexpr int invalidLaunch = 1; ///< cudaErrorInvalidValue

/// Kernel::waitsItself: its run() calls waitForKernelBefore(), and reads constant data before.
template <class Kernel>
concept WaitsItself = requires { Kernel::waitsItself; };

#ifdef __CUDACC__

template <class Kernel>
__global__ void __launch_bounds__(Kernel::threads, Kernel::minBlocks)
    kernelEntry(const __grid_constant__ typename Kernel::Params params) {
  // Behind a programmatic edge of a graph (lib/Cuda/ProgrammaticEdges.cpp) this kernel is launched
  // while the one before it still runs, and waits until that one's writes are to be seen. It never
  // ends before it has waited, so what was complete to one kernel is complete to all behind.
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;");
#endif
  if constexpr (!WaitsItself<Kernel>)
    waitForKernelBefore();
  Kernel::run(params);
}

template <class Kernel>
int launchKernel(const Launch &launch, GridSize grid, int sharedBytes,
                 const typename Kernel::Params &params, int threads = Kernel::threads) {
  if (grid.x <= 0 || grid.y <= 0 || grid.z <= 0)
    return 0;
  if (sharedBytes > 48 * 1024)
    if (cudaError_t error = cudaFuncSetAttribute(
            kernelEntry<Kernel>, cudaFuncAttributeMaxDynamicSharedMemorySize, sharedBytes))
      return error;
  kernelEntry<Kernel><<<dim3(grid.x, grid.y, grid.z), threads, sharedBytes,
                        static_cast<cudaStream_t>(launch.stream)>>>(params);
  return cudaGetLastError();
}

#else

template <class Kernel>
int launchKernel(const Launch &launch, GridSize grid, int sharedBytes,
                 const typename Kernel::Params &params, int threads = Kernel::threads) {
  if (grid.x <= 0 || grid.y <= 0 || grid.z <= 0)
    return 0;
  return emulator::launch(
      launch, [](const void *p) { Kernel::run(*static_cast<const typename Kernel::Params *>(p)); },
      &params, sizeof params, grid, threads, sharedBytes, typeid(Kernel).name());
}

#endif

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_DEVICE_LAUNCH_H
