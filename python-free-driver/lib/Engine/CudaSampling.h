//===- CudaSampling.h - Choosing tokens on the device ----------------------------------------===//
// Memory of the sampler for a number of rows, in device and pinned memory, and its launch. What the
// host writes and reads lies in a ring of slots, one per step that can be on its way at once: the
// kernel writes results into pinned memory and marks each with the stamp of its step, so the host
// sees them without waiting for anything behind them.
#ifndef QRT_ENGINE_CUDASAMPLING_H
#define QRT_ENGINE_CUDASAMPLING_H

#include "Device/CudaDevice.h"
#include "Support/SampleRow.h"

#include <span>

namespace qrt {

class CudaSampling {
public:
  static constexpr int64_t maxEntries = 1 << 18; ///< of one step
  static constexpr int slotCount = 2;

  static bool isPossible(const CudaDevice &device) { return device.table().launchSample; }
  static int64_t bytes(int64_t rows, int32_t vocabSize);
  static Result<CudaSampling> create(CudaDevice &device, int64_t rows, int32_t vocabSize);
  /// InvalidArgument: lists outside the entries, tokens outside the vocabulary, too many entries.
  static Status verify(std::span<const SampleRow> rows, std::span<const SampleEntry> entries,
                       int32_t vocabSize);

  /// Fills a slot that isDone(), and enqueues the copy of the entries; rows up to `count` that are
  /// not given choose token 0.
  Status upload(int slot, std::span<const SampleRow> rows, std::span<const SampleEntry> entries,
                int64_t count);
  /// Enqueues the copy of the slot's rows: early in a graph, since kernels do not overlap with it.
  Status copyRows(int slot, int64_t count);
  /// Behind copyRows(), the choice from `count` rows of logits, which it changes. Both can be
  /// captured. `fed` and `next` as in SampleParams.
  Status enqueue(int slot, const float *logits, int64_t stride, int64_t count, const int32_t *fed,
                 int32_t *next);
  /// The results of the last upload() into the slot are there, or there was none.
  bool isDone(int slot) const;
  const SampleResult *results(int slot) const { return slots[slot].results; }

private:
  CudaSampling(CudaDevice &device, int32_t vocabSize) : device(&device), vocab(vocabSize) {}

  struct Slot {
    CudaDevice::Pinned memory;
    SampleEntry *entries = nullptr;
    SampleRow *rows = nullptr;
    SampleResult *results = nullptr; ///< written by the device
    int64_t count = 0;               ///< rows of the last upload()
  };

  CudaDevice *device;
  int32_t vocab;
  uint64_t lastStamp = 0;
  CudaDevice::Memory rows, entries, scratch;
  Slot slots[slotCount];
};

} // namespace qrt

#endif // QRT_ENGINE_CUDASAMPLING_H
