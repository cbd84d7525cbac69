//===- Block.cpp - scheduling of a block's threads -----------------------------===//

#include "kernels/cuda/emulator/Block.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace qrt::cuda::emulator {

Block *Block::current = nullptr;

namespace {
constexpr size_t stackBytes = 64 * 1024;

uint64_t mix(uint64_t &state) { // SplitMix64
  uint64_t z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}
} // namespace

Block::Block() = default;

void Block::enter(void *self) {
  auto &block = *static_cast<Block *>(self);
  block.body(block.params);
  for (const std::vector<Copy> &group : block.states[size_t(block.active)].groups)
    if (!group.empty())
      block.fail("ends with asynchronous copies that it did not wait for");
}

std::string Block::run(Body kernel, const void *arguments, GridSize grid, GridSize index,
                       int threads, size_t sharedBytes, const Options &how) {
  if (threads <= 0 || threads > 1024 || threads % 32)
    return "blocks of " + std::to_string(threads) + " threads are not whole warps";
  body = kernel;
  params = arguments;
  gridSize = grid;
  blockIndex = index;
  threadCount = alive = threads;
  sharedSize = sharedBytes;
  options = how;
  atBarrier = 0;
  blockEpoch = 0;
  error.clear();
  random = how.seed * 0x2545f4914f6cdd1du + uint64_t(index.x) + (uint64_t(index.y) << 20) +
           (uint64_t(index.z) << 40);
  sharedBuffer.assign(sharedBytes + 128, 0xff); // NaN in every format
  sharedBase = reinterpret_cast<uint8_t *>(
      (reinterpret_cast<uintptr_t>(sharedBuffer.data()) + 127) & ~uintptr_t(127));
  if (how.checkShared)
    shadow.reset(sharedBytes);
  states.assign(size_t(threads), Thread{});
  warps.assign(size_t(threads) / 32, Warp{});
  ready.clear();
  while (fibers.size() < size_t(threads))
    fibers.emplace_back(stackBytes);
  for (int i = 0; i < threads; ++i) {
    states[size_t(i)].groups.resize(1);
    fibers[size_t(i)].start(enter, this);
    ready.push_back(i);
  }
  Block *outer = current;
  current = this;
  while (alive > 0 && error.empty()) {
    if (ready.empty()) {
      error = "no thread can go on: " + std::to_string(atBarrier) + " of " + std::to_string(alive) +
              " wait at a barrier, the others in collectives that not all "
              "lanes of their warp have reached";
      break;
    }
    active = pickReady();
    fibers[size_t(active)].resume();
    if (error.empty() && fibers[size_t(active)].done()) {
      states[size_t(active)].ended = true;
      --alive;
      releaseBarrier();
    }
  }
  current = outer;
  return error;
}

int Block::pickReady() {
  size_t at = ready.size() - 1;
  if (options.seed == 0)
    at = size_t(std::min_element(ready.begin(), ready.end()) - ready.begin());
  else if (options.seed == 1)
    at = size_t(std::max_element(ready.begin(), ready.end()) - ready.begin());
  else
    at = size_t(mix(random) % ready.size());
  int thread = ready[at];
  ready[at] = ready.back();
  ready.pop_back();
  return thread;
}

void Block::wait(Waiting reason) {
  int self = active;
  states[size_t(self)].waiting = reason;
  while (states[size_t(self)].waiting != Waiting::No)
    fibers[size_t(self)].suspend();
}

void Block::releaseBarrier() {
  if (alive == 0 || atBarrier < alive)
    return;
  ++blockEpoch;
  atBarrier = 0;
  for (int i = 0; i < threadCount; ++i)
    if (states[size_t(i)].waiting == Waiting::Barrier) {
      states[size_t(i)].waiting = Waiting::No;
      ready.push_back(i);
    }
}

void Block::barrier() {
  int self = active;
  states[size_t(self)].waiting = Waiting::Barrier;
  ++atBarrier;
  releaseBarrier();
  if (states[size_t(self)].waiting == Waiting::No)
    std::erase(ready, self); // goes on at once: it was the last
  else
    wait(Waiting::Barrier);
}

void Block::collective(Collective function, LaneOperands operands) {
  Warp &warp = warps[size_t(active) / 32];
  int first = active / 32 * 32;
  if (warp.arrived == 0)
    warp.function = function;
  else if (warp.function != function)
    fail("the lanes of the warp are in different collectives");
  for (int lane = 0; lane < 32; ++lane)
    if (states[size_t(first + lane)].ended)
      fail("a collective that lane " + std::to_string(lane) + " cannot reach: it has ended");
  states[size_t(active)].operands = operands;
  if (++warp.arrived < 32)
    return wait(Waiting::Collective);
  LaneOperands lanes[32];
  for (int lane = 0; lane < 32; ++lane)
    lanes[lane] = states[size_t(first + lane)].operands;
  warp.arrived = 0;
  function(lanes);
  for (int lane = 0; lane < 32; ++lane)
    if (first + lane != active) {
      states[size_t(first + lane)].waiting = Waiting::No;
      ready.push_back(first + lane);
    }
}

void Block::syncWarp() {
  collective([](LaneOperands(&)[32]) { ++running().warps[size_t(running().active) / 32].epoch; },
             nullptr);
}

void Block::touchAs(int thread, const void *address, size_t bytes, bool write) {
  auto at = reinterpret_cast<uintptr_t>(address), base = reinterpret_cast<uintptr_t>(sharedBase);
  if (at < base || at + bytes > base + sharedSize)
    fail("shared memory: access of " + std::to_string(bytes) + " bytes at offset " +
         std::to_string(int64_t(at - base)) + " of " + std::to_string(sharedSize));
  if (at % bytes)
    fail("shared memory: access of " + std::to_string(bytes) + " bytes at offset " +
         std::to_string(at - base) + " is misaligned");
  if (!options.checkShared)
    return;
  SharedShadow::Finding found = write ? shadow.write(at - base, bytes, thread, timeOf(thread))
                                      : shadow.read(at - base, bytes, thread, timeOf(thread));
  switch (found.hazard) {
  case Hazard::None:
    return;
  case Hazard::Unwritten:
    fail("shared memory: byte " + std::to_string(found.byte) + " is read but was never written");
  case Hazard::AsyncPending:
    fail("shared memory: byte " + std::to_string(found.byte) +
         " is used while an asynchronous copy of " + place(found.other) + " is in flight");
  case Hazard::ReadWrite:
    fail("shared memory: race on byte " + std::to_string(found.byte) + " with " +
         place(found.other));
  }
}

void Block::copyAsync(void *to, const void *from, int bytes) {
  auto at = reinterpret_cast<uintptr_t>(to), base = reinterpret_cast<uintptr_t>(sharedBase);
  if (at < base || at + 16 > base + sharedSize || at % 16)
    fail("asynchronous copy to offset " + std::to_string(int64_t(at - base)) + " of " +
         std::to_string(sharedSize));
  if (reinterpret_cast<uintptr_t>(from) % 16 || bytes < 0 || bytes > 16)
    fail("asynchronous copy from a misaligned address, or of more than 16 bytes");
  if (options.checkShared) {
    SharedShadow::Finding found = shadow.beginAsync(at - base, 16, active, timeOf(active));
    if (found.hazard != Hazard::None)
      fail("asynchronous copy over byte " + std::to_string(found.byte) + ", which " +
           place(found.other) + " uses or fills without order");
  }
  states[size_t(active)].groups.back().push_back(
      {static_cast<uint8_t *>(to), static_cast<const uint8_t *>(from), bytes});
}

void Block::commitAsync() { states[size_t(active)].groups.emplace_back(); }

void Block::waitAsync(int pending) {
  std::vector<std::vector<Copy>> &groups = states[size_t(active)].groups;
  while (groups.size() > size_t(pending) + 1) { // the last one is still open
    for (const Copy &copy : groups.front()) {
      std::memcpy(copy.to, copy.from, size_t(copy.bytes));
      std::memset(copy.to + copy.bytes, 0, size_t(16 - copy.bytes));
      if (options.checkShared)
        shadow.endAsync(size_t(copy.to - sharedBase), 16, active, timeOf(active));
    }
    groups.erase(groups.begin());
  }
}

std::string Block::place(int thread) const {
  return "thread " + std::to_string(thread) + " (warp " + std::to_string(thread / 32) + ", lane " +
         std::to_string(thread % 32) + ")";
}

void Block::fail(const std::string &what) {
  if (error.empty())
    error = "block (" + std::to_string(blockIndex.x) + ", " + std::to_string(blockIndex.y) + ", " +
            std::to_string(blockIndex.z) + "), " + place(active) + ": " + what;
  for (;;)
    fibers[size_t(active)].suspend(); // run() abandons the block
}

} // namespace qrt::cuda::emulator
