//===- CudaSampling.cpp - Choosing tokens on the device --------------------------------------===//
#include "Engine/CudaSampling.h"

#include <atomic>
#include <memory>

namespace qrt {

int64_t CudaSampling::bytes(int64_t rows, int32_t vocabSize) {
  return rows * (int64_t(sizeof(SampleRow)) + cuda::sampleScratchWords(vocabSize) * 8) +
         maxEntries * int64_t(sizeof(SampleEntry));
}

Result<CudaSampling> CudaSampling::create(CudaDevice &device, int64_t rows, int32_t vocabSize) {
  CudaSampling made(device, vocabSize);
  const char *what = "the sampler";
  const int64_t rowBytes = rows * int64_t(sizeof(SampleRow)),
                entryBytes = maxEntries * int64_t(sizeof(SampleEntry)),
                resultBytes = rows * int64_t(sizeof(SampleResult));
  QRT_ASSIGN_OR_RETURN(made.rows, device.allocate(rowBytes, what));
  QRT_ASSIGN_OR_RETURN(made.entries, device.allocate(entryBytes, what));
  const int64_t scratchBytes = rows * cuda::sampleScratchWords(vocabSize) * 8;
  QRT_ASSIGN_OR_RETURN(made.scratch, device.allocate(scratchBytes, what));
  QRT_RETURN_IF_ERROR(device.fill(made.scratch.get(), 0, scratchBytes)); // its counters
  for (Slot &slot : made.slots) {
    QRT_ASSIGN_OR_RETURN(slot.memory,
                         device.allocatePinned(rowBytes + entryBytes + resultBytes, what));
    slot.entries = static_cast<SampleEntry *>(slot.memory.get());
    slot.rows = reinterpret_cast<SampleRow *>(slot.entries + maxEntries);
    slot.results = reinterpret_cast<SampleResult *>(slot.rows + rows);
    std::uninitialized_fill_n(slot.results, rows, SampleResult()); // no stamp yet
  }
  return made;
}

Status CudaSampling::verify(std::span<const SampleRow> rows, std::span<const SampleEntry> entries,
                            int32_t vocabSize) {
  if (int64_t(entries.size()) > maxEntries)
    return invalidArgument(std::to_string(entries.size()) + " entries for the sampler, at most " +
                           std::to_string(maxEntries));
  for (const SampleEntry &entry : entries)
    if (entry.token < 0 || entry.token >= vocabSize)
      return invalidArgument("sampler entry: token " + std::to_string(entry.token) +
                             " is outside the vocabulary of " + std::to_string(vocabSize));
  for (const SampleRow &row : rows) {
    if (row.forced >= vocabSize)
      return invalidArgument("forced token " + std::to_string(row.forced) +
                             " is outside the vocabulary");
    for (const SampleList *list :
         {&row.bias, &row.penalties, &row.seen, &row.generated, &row.dry, &row.banned})
      if (list->first < 0 || list->count < 0 ||
          int64_t(list->first) + list->count > int64_t(entries.size()))
        return invalidArgument("a list of the sampler lies outside its entries");
  }
  return Status::ok();
}

Status CudaSampling::upload(int index, std::span<const SampleRow> given,
                            std::span<const SampleEntry> list, int64_t count) {
  Slot &slot = slots[index];
  SampleRow unused;
  unused.forced = 0;
  std::uninitialized_copy(given.begin(), given.end(), slot.rows);
  std::uninitialized_fill(slot.rows + given.size(), slot.rows + count, unused);
  ++lastStamp;
  for (int64_t i = 0; i < count; ++i)
    slot.rows[i].stamp = lastStamp;
  slot.count = count;
  std::uninitialized_copy(list.begin(), list.end(), slot.entries);
  return device->copyToDevice(entries.get(), slot.entries, int64_t(list.size_bytes()));
}

bool CudaSampling::isDone(int index) const {
  const Slot &slot = slots[index];
  for (int64_t i = 0; i < slot.count; ++i)
    if (std::atomic_ref(slot.results[i].stamp).load(std::memory_order_acquire) !=
        slot.rows[i].stamp)
      return false;
  return true;
}

Status CudaSampling::copyRows(int slot, int64_t count) {
  return device->copyToDevice(rows.get(), slots[slot].rows, count * int64_t(sizeof(SampleRow)));
}

Status CudaSampling::enqueue(int slot, const float *logits, int64_t stride, int64_t count,
                             const int32_t *fed, int32_t *next) {
  cuda::SampleParams params;
  params.logits = const_cast<float *>(logits); // the program's own buffer
  params.stride = stride;
  params.vocab = vocab;
  params.count = count;
  params.rows = static_cast<const SampleRow *>(rows.get());
  params.entries = static_cast<const SampleEntry *>(entries.get());
  params.scratch = static_cast<uint64_t *>(scratch.get());
  params.results = slots[slot].results;
  params.fed = fed;
  params.next = next;
  return device->launched(device->table().launchSample(device->launch(), params), "Sample");
}

} // namespace qrt
