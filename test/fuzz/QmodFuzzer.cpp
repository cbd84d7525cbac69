//===- QmodFuzzer.cpp - libFuzzer target for .qmod files -------------------------------------===//
// Loads the input as a model and, where verification passes, runs two steps. A checksum would stop
// nearly every mutation, so a custom mutator repairs them in three of four inputs.
#include "../unit/runtime/Format/FileBytes.h"
#include "qrt/Engine.h"

#include <algorithm>
#include <cstdint>

using namespace qrt;
using namespace qrt::test;

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t maxSize,
                                          unsigned seed) {
  size = LLVMFuzzerMutate(data, size, maxSize);
  if (seed % 4 == 0 || size < sizeof(FileHeader))
    return size;
  Bytes bytes(data, data + size);
  at<FileHeader>(bytes, 0).fileSize = size;
  reseal(bytes);
  std::copy(bytes.begin(), bytes.end(), data);
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  AlignedBytes aligned(Bytes(data, data + size));
  auto model = Model::fromMemory(aligned.span(), "fuzz", {.verifyChecksums = size % 2 == 0});
  if (!model)
    return 0;
  auto engine =
      Engine::create(*model, {.threads = 1, .prefillChunk = 3, .maxMemory = int64_t(256) << 20});
  if (!engine)
    return 0;
  auto seq = (*engine)->addSequence();
  if (!seq)
    return 0;
  const int32_t tokens[] = {0, 0, 0, 0};
  Engine::Chunk chunk{*seq, tokens, Engine::Logits::All};
  for (int step = 0; step < 2; ++step)
    if (!(*engine)->step({&chunk, 1}))
      break;
  return 0;
}
