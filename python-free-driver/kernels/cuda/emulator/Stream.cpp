//===- Stream.cpp - runs the blocks of a launch --------------------------------===//

#include "kernels/cuda/emulator/Stream.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cxxabi.h>
#include <memory>
#include <numeric>
#include <random>

namespace qrt::cuda::emulator {

namespace {

std::string readableName(const char *mangled) {
  int status = 0;
  std::unique_ptr<char, decltype(&std::free)> name(
      abi::__cxa_demangle(mangled, nullptr, nullptr, &status), std::free);
  return status == 0 ? name.get() : mangled;
}

/// Blocks may run in any order on the device.
std::vector<int64_t> blockOrder(int64_t count, uint64_t seed) {
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  if (seed == 1)
    std::reverse(order.begin(), order.end());
  else if (seed > 1)
    for (std::mt19937_64 random(seed); int64_t i : order) // Fisher-Yates, the same everywhere
      std::swap(order[static_cast<size_t>(i)],
                order[static_cast<size_t>(i + int64_t(random() % uint64_t(count - i)))]);
  return order;
}

int runBlocks(Stream &stream, Block::Body body, const void *params, GridSize grid, int threads,
              int sharedBytes, const std::string &kernel) {
  static thread_local Block block; // keeps its fibers
  for (int64_t i : blockOrder(int64_t(grid.x) * grid.y * grid.z, stream.options.seed)) {
    GridSize index = {int32_t(i % grid.x), int32_t(i / grid.x % grid.y),
                      int32_t(i / grid.x / grid.y)};
    std::string error =
        block.run(body, params, grid, index, threads, size_t(sharedBytes), stream.options);
    ++stream.blocks;
    if (!error.empty()) {
      if (stream.error.empty())
        stream.error = readableName(kernel.c_str()) + ": " + error;
      return launchFailed;
    }
  }
  return 0;
}

} // namespace

int launch(const Launch &where, Block::Body body, const void *params, size_t paramBytes,
           GridSize grid, int threads, int sharedBytes, const char *kernel) {
  constexpr int32_t maxOther = 65535; // of y and z
  if (sharedBytes > where.sharedBytesPerBlock || grid.y > maxOther || grid.z > maxOther)
    return 1;
  auto *stream = static_cast<Stream *>(where.stream);
  if (stream)
    ++stream->launches;
  if (const char *path = std::getenv("QRT_EMULATED_TRACE"))
    if (std::FILE *trace = std::fopen(path, "a")) {
      std::fprintf(trace, "%s\n", readableName(kernel).c_str());
      std::fclose(trace);
    }
  if (stream && stream->record) {
    std::shared_ptr<uint64_t[]> copy(new uint64_t[(paramBytes + 7) / 8]);
    std::memcpy(copy.get(), params, paramBytes);
    stream->record([=, name = std::string(kernel)] {
      return runBlocks(*stream, body, copy.get(), grid, threads, sharedBytes, name);
    });
    return 0;
  }
  if (stream)
    return runBlocks(*stream, body, params, grid, threads, sharedBytes, kernel);
  Stream local;
  int result = runBlocks(local, body, params, grid, threads, sharedBytes, kernel);
  if (result)
    std::fprintf(stderr, "emulator: %s\n", local.error.c_str());
  return result;
}

} // namespace qrt::cuda::emulator
