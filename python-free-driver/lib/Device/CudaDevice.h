//===- CudaDevice.h - An open device behind the table, with Status for errors ----------------===//
// Owns the context of one device. Memory, pinned memory and graphs are handles that give themselves
// back and must not outlive the device. After DeviceProblem::Lost every call fails with the same
// words. Not thread safe.
#ifndef QRT_DEVICE_CUDADEVICE_H
#define QRT_DEVICE_CUDADEVICE_H

#include "Device/Loader.h"

#include <memory>
#include <string>

namespace qrt {

class CudaDevice {
public:
  /// DeviceMissing with the reason; see DeviceProblem.
  static Result<std::unique_ptr<CudaDevice>> open(int32_t index);
  ~CudaDevice();
  CudaDevice(const CudaDevice &) = delete;
  CudaDevice &operator=(const CudaDevice &) = delete;

  const cuda::Table &table() const { return *functions; }
  const cuda::Launch &launch() const { return launchInfo; }
  /// Device word that collects cuda::Fault bits of all launches.
  void setFaults(uint32_t *word) { launchInfo.faults = word; }
  /// "device 0 (NVIDIA H100 80GB HBM3, 9.0)"
  const std::string &name() const { return text; }

  struct Free {
    CudaDevice *device = nullptr;
    void operator()(void *pointer) const { device->functions->release(device->context, pointer); }
  };
  using Memory = std::unique_ptr<void, Free>;
  struct FreePinned {
    CudaDevice *device = nullptr;
    void operator()(void *pointer) const {
      device->functions->releasePinned(device->context, pointer);
    }
  };
  using Pinned = std::unique_ptr<void, FreePinned>;
  struct FreeGraph {
    CudaDevice *device = nullptr;
    void operator()(cuda::Graph *graph) const {
      device->functions->destroyGraph(device->context, graph);
    }
  };
  using Graph = std::unique_ptr<cuda::Graph, FreeGraph>;

  /// `what` stands in the message: "weights".
  Result<Memory> allocate(int64_t bytes, const std::string &what);
  Result<Pinned> allocatePinned(int64_t bytes, const std::string &what);
  struct FreeBytes {
    int64_t free, total;
  };
  Result<FreeBytes> freeMemory();

  Status copyToDevice(void *device, const void *host, int64_t bytes);
  Status copyToHost(void *host, const void *device, int64_t bytes);
  Status fill(void *device, uint8_t byte, int64_t bytes);
  Status synchronize();
  /// Nothing is left on the stream; does not wait.
  Result<bool> isIdle();
  Status beginCapture();
  Result<Graph> endCapture();
  Status launchGraph(const Graph &graph);
  /// The Status of a launch's result.
  Status launched(int result, const char *operation);

private:
  CudaDevice() = default;
  Status status(cuda::Code code, const std::string &what = {});

  const cuda::Table *functions = nullptr;
  cuda::Context *context = nullptr;
  cuda::Launch launchInfo;
  std::string text;
  Status lost;
};

} // namespace qrt

#endif // QRT_DEVICE_CUDADEVICE_H
