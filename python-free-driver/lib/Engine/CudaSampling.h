//===- CudaSampling.h - Choosing tokens on the device ----------------------------------------===//
// Memory of the sampler for a number of rows, in device and pinned memory, and its launch. Rows and
// entries of a step are uploaded before it; the launch and the copy of the results can be captured.
#ifndef QRT_ENGINE_CUDASAMPLING_H
#define QRT_ENGINE_CUDASAMPLING_H

#include "Device/CudaDevice.h"
#include "Support/SampleRow.h"

#include <span>

namespace qrt {

class CudaSampling {
public:
  static constexpr int64_t maxEntries = 1 << 18; ///< of one step

  static bool isPossible(const CudaDevice &device) { return device.table().launchSample; }
  static int64_t bytes(int64_t rows, int32_t vocabSize);
  static Result<CudaSampling> create(CudaDevice &device, int64_t rows, int32_t vocabSize);
  /// InvalidArgument: lists outside the entries, tokens outside the vocabulary, too many entries.
  static Status verify(std::span<const SampleRow> rows, std::span<const SampleEntry> entries,
                       int32_t vocabSize);

  /// Enqueues the copies; rows up to `count` that are not given choose token 0.
  Status upload(std::span<const SampleRow> rows, std::span<const SampleEntry> entries,
                int64_t count);
  /// Enqueues the choice from `count` rows of logits, which it changes, and the copy of the
  /// results.
  Status enqueue(const float *logits, int64_t stride, int64_t count);
  /// Of the last enqueue(), once the device is synchronised.
  const SampleResult *results() const {
    return static_cast<const SampleResult *>(hostResults.get());
  }

private:
  CudaSampling(CudaDevice &device, int32_t vocabSize) : device(&device), vocab(vocabSize) {}

  CudaDevice *device;
  int32_t vocab;
  CudaDevice::Memory rows, entries, weights, chosen;
  CudaDevice::Pinned hostRows, hostEntries, hostResults;
};

} // namespace qrt

#endif // QRT_ENGINE_CUDASAMPLING_H
