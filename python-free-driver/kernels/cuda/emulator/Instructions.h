//===- Instructions.h - warp instructions on the operands of all lanes ---------===//

#ifndef QRT_KERNELS_CUDA_EMULATOR_INSTRUCTIONS_H
#define QRT_KERNELS_CUDA_EMULATOR_INSTRUCTIONS_H

#include "kernels/cuda/emulator/Block.h"
#include "qrt/Half.h"

#include <cstdint>

namespace qrt::cuda::emulator {

/// Fails the running block where a load or store of `bytes` bytes is misaligned.
void requireAligned(const void *p, size_t bytes);

/// Each lane gets the value of lane `lane`, or lane ^ mask.
template <class T>
T shuffle(T value, int lane, bool isMask) {
  struct Operands {
    T value, result;
    int from;
  } mine = {value, value, isMask ? (Block::running().thread() % 32) ^ lane : lane};
  Block::running().collective(
      [](LaneOperands(&lanes)[32]) {
        for (LaneOperands lane : lanes) {
          auto *to = static_cast<Operands *>(lane);
          to->result = static_cast<Operands *>(lanes[to->from % 32])->value;
        }
      },
      &mine);
  return mine.result;
}

void loadMatrix4(uint32_t (&d)[4], const void *shared, bool transposed);
/// d += a b; `widen` gives the value of a 16-bit element.
void mma16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], float (*widen)(uint16_t));
void mma8(int32_t (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);

uint32_t permuteBytes(uint32_t a, uint32_t b, uint32_t selector);
/// a * b + c of each half, rounded once.
uint32_t fmaF16x2(uint32_t a, uint32_t b, uint32_t c);
uint32_t fmaBf16x2(uint32_t a, uint32_t b, uint32_t c);

} // namespace qrt::cuda::emulator

#endif // QRT_KERNELS_CUDA_EMULATOR_INSTRUCTIONS_H
