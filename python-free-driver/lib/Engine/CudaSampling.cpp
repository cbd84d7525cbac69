//===- CudaSampling.cpp - Choosing tokens on the device --------------------------------------===//
#include "Engine/CudaSampling.h"

#include <algorithm>
#include <cstring>

namespace qrt {

int64_t CudaSampling::bytes(int64_t rows, int32_t vocabSize) {
  return rows * (int64_t(sizeof(SampleRow) + sizeof(SampleResult)) + vocabSize * 8) +
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
  QRT_ASSIGN_OR_RETURN(made.weights, device.allocate(rows * vocabSize * 8, what));
  QRT_ASSIGN_OR_RETURN(made.chosen, device.allocate(resultBytes, what));
  QRT_ASSIGN_OR_RETURN(made.hostRows, device.allocatePinned(rowBytes, what));
  QRT_ASSIGN_OR_RETURN(made.hostEntries, device.allocatePinned(entryBytes, what));
  QRT_ASSIGN_OR_RETURN(made.hostResults, device.allocatePinned(resultBytes, what));
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

Status CudaSampling::upload(std::span<const SampleRow> given, std::span<const SampleEntry> list,
                            int64_t count) {
  auto *host = static_cast<SampleRow *>(hostRows.get());
  std::copy(given.begin(), given.end(), host);
  SampleRow unused;
  unused.forced = 0;
  std::fill(host + given.size(), host + count, unused);
  if (!list.empty())
    std::memcpy(hostEntries.get(), list.data(), list.size_bytes());
  QRT_RETURN_IF_ERROR(
      device->copyToDevice(entries.get(), hostEntries.get(), int64_t(list.size_bytes())));
  return device->copyToDevice(rows.get(), host, count * int64_t(sizeof(SampleRow)));
}

Status CudaSampling::enqueue(const float *logits, int64_t stride, int64_t count) {
  cuda::SampleParams params;
  params.logits = const_cast<float *>(logits); // the program's own buffer
  params.stride = stride;
  params.vocab = vocab;
  params.count = count;
  params.rows = static_cast<const SampleRow *>(rows.get());
  params.entries = static_cast<const SampleEntry *>(entries.get());
  params.weights = static_cast<uint64_t *>(weights.get());
  params.results = static_cast<SampleResult *>(chosen.get());
  QRT_RETURN_IF_ERROR(
      device->launched(device->table().launchSample(device->launch(), params), "Sample"));
  return device->copyToHost(hostResults.get(), chosen.get(), count * int64_t(sizeof(SampleResult)));
}

} // namespace qrt
