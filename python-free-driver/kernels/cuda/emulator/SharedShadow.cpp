//===- SharedShadow.cpp - happens-before per byte ------------------------------===//

#include "kernels/cuda/emulator/SharedShadow.h"

namespace qrt::cuda::emulator {

void SharedShadow::reset(size_t count) { bytes.assign(count, Byte{}); }

bool SharedShadow::ordered(const Access &earlier, int thread, AccessTime now) {
  if (earlier.thread < 0 || earlier.thread == thread || earlier.time.block < now.block)
    return true;
  return earlier.thread / 32 == thread / 32 && earlier.time.warp < now.warp;
}

int SharedShadow::racingReader(const Byte &byte, int thread, AccessTime now) {
  for (const Access *reader : {&byte.read, &byte.readByOtherWarp, &byte.readBySameWarp})
    if (!ordered(*reader, thread, now))
      return reader->thread;
  return -1;
}

SharedShadow::Finding SharedShadow::read(size_t first, size_t count, int thread, AccessTime now) {
  for (size_t i = first; i < first + count; ++i) {
    Byte &byte = bytes[i];
    if (byte.pending >= 0)
      return {Hazard::AsyncPending, i, byte.pending};
    if (byte.written.thread < 0)
      return {Hazard::Unwritten, i, -1};
    if (!ordered(byte.written, thread, now))
      return {Hazard::ReadWrite, i, byte.written.thread};
    if (byte.read.thread >= 0 && byte.read.thread != thread)
      (byte.read.thread / 32 == thread / 32 ? byte.readBySameWarp : byte.readByOtherWarp) =
          byte.read;
    byte.read = {thread, now};
  }
  return {};
}

SharedShadow::Finding SharedShadow::write(size_t first, size_t count, int thread, AccessTime now) {
  for (size_t i = first; i < first + count; ++i) {
    Byte &byte = bytes[i];
    if (byte.pending >= 0)
      return {Hazard::AsyncPending, i, byte.pending};
    if (!ordered(byte.written, thread, now))
      return {Hazard::ReadWrite, i, byte.written.thread};
    if (int reader = racingReader(byte, thread, now); reader >= 0)
      return {Hazard::ReadWrite, i, reader};
    byte.written = {thread, now};
  }
  return {};
}

SharedShadow::Finding SharedShadow::beginAsync(size_t first, size_t count, int thread,
                                               AccessTime now) {
  Finding finding = write(first, count, thread, now);
  if (finding.hazard == Hazard::None)
    for (size_t i = first; i < first + count; ++i)
      bytes[i].pending = thread;
  return finding;
}

void SharedShadow::endAsync(size_t first, size_t count, int thread, AccessTime now) {
  for (size_t i = first; i < first + count; ++i) {
    bytes[i].pending = -1;
    bytes[i].written = {thread, now};
  }
}

} // namespace qrt::cuda::emulator
