//===- Instructions.cpp - tensor-core products, ldmatrix, packed arithmetic ----===//

#include "kernels/cuda/emulator/Instructions.h"

#include "kernels/cuda/layout/Fragments.h"

#include <cmath>

namespace qrt::cuda::emulator {

void requireAligned(const void *p, size_t bytes) {
  if (reinterpret_cast<uintptr_t>(p) % bytes)
    Block::running().fail("global memory: access of " + std::to_string(bytes) +
                          " bytes is misaligned");
}

namespace {

/// f32 that rounds to 16 bits as the f64 value would: inexact results get an odd last bit.
float roundToOdd(double value) {
  auto f = static_cast<float>(value);
  if (static_cast<double>(f) == value || !std::isfinite(f) || std::bit_cast<uint32_t>(f) & 1u)
    return f;
  return std::nextafterf(f, static_cast<double>(f) < value ? INFINITY : -INFINITY);
}

template <class Widen, class Narrow>
uint32_t fma2(uint32_t a, uint32_t b, uint32_t c, Widen widen, Narrow narrow) {
  uint32_t result = 0;
  for (int shift : {0, 16}) {
    auto half = [&](uint32_t x) { return double(widen(uint16_t(x >> shift))); };
    result |= uint32_t(narrow(roundToOdd(half(a) * half(b) + half(c)))) << shift;
  }
  return result;
}

struct MmaOperands {
  void *d;
  const uint32_t *a, *b;
  float (*widen)(uint16_t);
};

} // namespace

uint32_t fmaF16x2(uint32_t a, uint32_t b, uint32_t c) { return fma2(a, b, c, f16ToF32, f32ToF16); }
uint32_t fmaBf16x2(uint32_t a, uint32_t b, uint32_t c) {
  return fma2(a, b, c, bf16ToF32, f32ToBf16);
}

uint32_t permuteBytes(uint32_t a, uint32_t b, uint32_t selector) {
  uint64_t both = a | uint64_t(b) << 32;
  uint32_t result = 0;
  for (int i = 0; i < 4; ++i) {
    uint32_t pick = selector >> (4 * i) & 0xf;
    auto byte = static_cast<uint8_t>(both >> (8 * (pick & 7)));
    if (pick & 8)
      byte = byte & 0x80 ? 0xff : 0;
    result |= uint32_t(byte) << (8 * i);
  }
  return result;
}

void mma16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2],
           float (*widen)(uint16_t)) {
  MmaOperands mine = {d, a, b, widen};
  Block::running().collective(
      [](LaneOperands(&lanes)[32]) {
        float A[16][16], B[16][8];
        for (int lane = 0; lane < 32; ++lane) {
          auto &operands = *static_cast<MmaOperands *>(lanes[lane]);
          for (int half = 0; half < 2; ++half) {
            for (int reg = 0; reg < 4; ++reg) {
              FragmentPlace at = fragmentA16(lane, reg, half);
              A[at.row][at.col] = operands.widen(uint16_t(operands.a[reg] >> (16 * half)));
            }
            for (int reg = 0; reg < 2; ++reg) {
              FragmentPlace at = fragmentB16(lane, reg, half);
              B[at.row][at.col] = operands.widen(uint16_t(operands.b[reg] >> (16 * half)));
            }
          }
        }
        for (int lane = 0; lane < 32; ++lane) {
          auto *result = static_cast<float *>(static_cast<MmaOperands *>(lanes[lane])->d);
          for (int reg = 0; reg < 4; ++reg) {
            FragmentPlace at = fragmentC(lane, reg);
            double sum = result[reg];
            for (int k = 0; k < 16; ++k)
              sum += double(A[at.row][k]) * double(B[k][at.col]);
            result[reg] = static_cast<float>(sum);
          }
        }
      },
      &mine);
}

void mma8(int32_t (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  MmaOperands mine = {d, a, b, nullptr};
  Block::running().collective(
      [](LaneOperands(&lanes)[32]) {
        int32_t A[16][32], B[32][8];
        for (int lane = 0; lane < 32; ++lane) {
          auto &operands = *static_cast<MmaOperands *>(lanes[lane]);
          for (int byte = 0; byte < 4; ++byte) {
            for (int reg = 0; reg < 4; ++reg) {
              FragmentPlace at = fragmentA8(lane, reg, byte);
              A[at.row][at.col] = uint8_t(operands.a[reg] >> (8 * byte));
            }
            for (int reg = 0; reg < 2; ++reg) {
              FragmentPlace at = fragmentB8(lane, reg, byte);
              B[at.row][at.col] = int8_t(operands.b[reg] >> (8 * byte));
            }
          }
        }
        for (int lane = 0; lane < 32; ++lane) {
          auto *result = static_cast<int32_t *>(static_cast<MmaOperands *>(lanes[lane])->d);
          for (int reg = 0; reg < 4; ++reg) {
            FragmentPlace at = fragmentC(lane, reg);
            for (int k = 0; k < 32; ++k)
              result[reg] += A[at.row][k] * B[k][at.col];
          }
        }
      },
      &mine);
}

void loadMatrix4(uint32_t (&d)[4], const void *shared, bool transposed) {
  struct Operands {
    uint32_t *d;
    const void *row;
    bool transposed;
  } mine = {d, shared, transposed};
  Block::running().collective(
      [](LaneOperands(&lanes)[32]) {
        Block &block = Block::running();
        int first = block.thread() / 32 * 32;
        uint16_t element[4][8][8];
        for (int lane = 0; lane < 32; ++lane) {
          auto *row = static_cast<Operands *>(lanes[lane])->row;
          block.touchAs(first + lane, row, 16, false);
          for (int i = 0; i < 8; ++i)
            element[lane / 8][lane % 8][i] = static_cast<const uint16_t *>(row)[i];
        }
        for (int lane = 0; lane < 32; ++lane) {
          auto &operands = *static_cast<Operands *>(lanes[lane]);
          for (int matrix = 0; matrix < 4; ++matrix) {
            int row = lane / 4, col = lane % 4 * 2;
            auto &m = element[matrix];
            operands.d[matrix] = operands.transposed
                                     ? m[col][row] | uint32_t(m[col + 1][row]) << 16
                                     : m[row][col] | uint32_t(m[row][col + 1]) << 16;
          }
        }
      },
      &mine);
}

} // namespace qrt::cuda::emulator
