//===- Table.h - The interface of libqrt_cuda.so ------------------------------===//
//
// The library exports one symbol, qrtCudaTable, which returns this table; everything else of it is
// hidden. The runtime loads it when a device is asked for (lib/Device/Loader.h) and sees no CUDA
// header or symbol. The emulated library of the tests offers the same table on the CPU.
//
// Every function returns a Code; lastError() then has the words, of the calling thread. No
// exception leaves the library. Structs are shared with the caller, so a table is usable only if
// tableAbi and tableBytes are those of the caller's own header.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_TABLE_H
#define QRT_KERNELS_CUDA_TABLE_H

#include "kernels/cuda/Ops.h"

namespace qrt::cuda {

/// Raised whenever a struct, an operation or the meaning of one changes.
inline constexpr uint32_t tableAbi = 14;
inline constexpr const char *tableSymbol = "qrtCudaTable";

/// Why a device cannot be used; the numbers are part of the interface.
enum class Code : int32_t {
  Ok = 0,
  NoDriver = 1,         ///< libcuda.so.1 is not there or lacks an entry point
  DriverTooOld = 2,     ///< older than the toolkit of the library
  NoDevice = 3,         ///< the driver found none
  NoSuchDevice = 4,     ///< a number beyond the devices
  CapabilityTooLow = 5, ///< older than every architecture in the library
  OutOfMemory = 6,
  InitFailed = 7, ///< any other error of the driver before work begins
  Failed = 8,     ///< an error of a call; the context stays usable
  Lost = 9,       ///< a fault on the device: the process cannot use it any more
};

struct DeviceInfo {
  char name[128];
  int32_t capability; ///< 90 for 9.0
  int32_t multiprocessors;
  int64_t totalBytes;
  int32_t sharedBytesPerBlock;
  int32_t l2Bytes;
  int32_t usable; ///< 0: the library has no code for this capability
  int32_t emulated;
};

struct DriverInfo {
  int32_t driverVersion;  ///< 13000 = 13.0
  int32_t toolkitVersion; ///< with which the library was built
};

/// An open device: its context, one stream for work. Not thread safe.
struct Context;
/// A captured sequence of launches.
struct Graph;

struct Table {
  uint32_t abi;
  uint32_t tableBytes;
  const char *architectures; ///< "sm_80 sm_89 sm_90a", or "emulated"
  const char *(*lastError)();

  /// Loads the driver and counts devices. driver is filled as far as it is known.
  Code (*probe)(DriverInfo *driver, int32_t *deviceCount);
  Code (*deviceInfo)(int32_t device, DeviceInfo *info);

  Code (*open)(int32_t device, Context **context);
  void (*close)(Context *context);
  /// What launches need to know; stream included.
  Code (*launchInfo)(Context *context, Launch *launch);
  Code (*freeMemory)(Context *context, int64_t *freeBytes, int64_t *totalBytes);
  Code (*allocate)(Context *context, int64_t bytes, void **pointer); ///< 256-byte aligned
  void (*release)(Context *context, void *pointer);
  /// Kernels may write there, under the same address.
  Code (*allocatePinned)(Context *context, int64_t bytes, void **pointer);
  void (*releasePinned)(Context *context, void *pointer);

  /// In the order of the stream. Host memory that is pinned is read and written when the stream
  /// gets there; other host memory before the call returns (copyToDevice) or must not be used
  /// during a capture.
  Code (*copyToDevice)(Context *context, void *device, const void *host, int64_t bytes);
  Code (*copyToHost)(Context *context, void *host, const void *device, int64_t bytes);
  Code (*fill)(Context *context, void *device, uint8_t byte, int64_t bytes);
  Code (*synchronize)(Context *context);
  /// Without waiting: *idle is 0 while work is left on the stream. Ok, or the error of the work.
  Code (*query)(Context *context, int32_t *idle);

  /// Launches, copies and fills between begin and end are recorded instead of executed.
  Code (*beginCapture)(Context *context);
  Code (*endCapture)(Context *context, Graph **graph);
  Code (*launchGraph)(Context *context, Graph *graph);
  void (*destroyGraph)(Context *context, Graph *graph);
  /// Checks the result of a launch: Ok for 0, else Failed with the words.
  Code (*checkLaunch)(Context *context, int result, const char *what);

#define QRT_CUDA_MEMBER(name, Params) int (*launch##name)(const Launch &, const Params &);
  QRT_CUDA_OPS(QRT_CUDA_MEMBER)
#undef QRT_CUDA_MEMBER
  int64_t (*repackedBytes)(const kernels::WeightDesc &desc);
  int64_t (*kvPageBytes)(int64_t kvHeads, int64_t dim, DType type);
  int64_t (*int8Bytes)(int64_t rows, int64_t width, int32_t block);
  int64_t (*linearWorkspaceBytes)(const Launch &launch, const LinearParams &params);
  int64_t (*linearGroupWorkspaceBytes)(const Launch &launch, const LinearGroupParams &params);
  int64_t (*attentionWorkspaceBytes)(const Launch &launch, const AttentionParams &params);
};

using TableFunction = const Table *(*)();

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_TABLE_H
