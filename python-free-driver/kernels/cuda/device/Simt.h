//===- Simt.h - what kernels see of the machine -------------------------------===//
//
// A kernel is a struct with Params, threads, minBlocks and a static run(const Params &), written in
// terms of the functions below. nvcc compiles them to CUDA; every other compiler to the emulator
// (kernels/cuda/emulator), under which the same source runs on the CPU and is checked for races.
//
// Rules that make a kernel emulable:
//   * blocks are one-dimensional, of whole warps; collectives are entered by all 32 lanes;
//   * shared memory is dynamic, one array per block (sharedMemory()), and is read and written
//   through
//     loadShared, storeShared, copyAsync and loadMatrix4: the emulator watches these for races;
//   * blocks do not wait for one another; the last to arrive at a counter may do the rest.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_DEVICE_SIMT_H
#define QRT_KERNELS_CUDA_DEVICE_SIMT_H

#include "kernels/cuda/device/GridSize.h"

#include <cstdint>

namespace qrt::cuda {

/// 8 and 16 bytes that move as one access.
struct alignas(8) Words2 {
  uint32_t w[2];
};
struct alignas(16) Words4 {
  uint32_t w[4];
};

} // namespace qrt::cuda

#ifdef __CUDACC__
#include "kernels/cuda/device/CudaSimt.h"
#else
#include "kernels/cuda/emulator/EmulatedSimt.h"
#endif

#endif // QRT_KERNELS_CUDA_DEVICE_SIMT_H
