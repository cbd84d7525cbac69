//===- EmulatedSimt.h - the functions of Simt.h on the emulator ----------------===//
//
// Included by Simt.h where the compiler is not nvcc. Arithmetic rounds as the device's does, except
// for sums inside the tensor cores (Block.h) and the approximate exp2, which is exact here.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CUDA_EMULATOR_EMULATEDSIMT_H
#define QRT_KERNELS_CUDA_EMULATOR_EMULATEDSIMT_H

#include "kernels/cuda/emulator/Block.h"
#include "kernels/cuda/emulator/Instructions.h"

#include <cmath>

#define QRT_DEVICE inline
#define QRT_UNROLL
#define QRT_UNROLL_4
#define QRT_NO_UNROLL

namespace qrt::cuda {

inline int threadIndex() { return emulator::Block::running().thread(); }
inline int blockThreads() { return emulator::Block::running().threads(); }
inline int laneIndex() { return threadIndex() % 32; }
inline int warpIndex() { return threadIndex() / 32; }
inline GridSize blockIndex() { return emulator::Block::running().index(); }
inline GridSize gridSize() { return emulator::Block::running().grid(); }
inline uint8_t *sharedMemory() { return emulator::Block::running().shared(); }

inline void syncThreads() { emulator::Block::running().barrier(); }
inline void syncWarp() { emulator::Block::running().syncWarp(); }
inline void fenceGlobal() {}
inline void waitForKernelBefore() {}
inline void publish(uint64_t *p, uint64_t value) { *p = value; }

template <class T>
inline T loadShared(const T *p) {
  emulator::Block::running().touch(p, sizeof(T), false);
  return *p;
}
template <class T>
inline void storeShared(T *p, T value) {
  emulator::Block::running().touch(p, sizeof(T), true);
  *p = value;
}
/// Global memory is the process's own; AddressSanitizer and the tests' guard bands watch its
/// bounds.
template <class T>
inline T loadGlobal(const T *p) {
  emulator::requireAligned(p, sizeof(T));
  return *p;
}
template <class T>
inline T loadConstant(const T *p) {
  return loadGlobal(p);
}
inline float loadCoherent(const float *p) { return loadGlobal(p); }
inline uint32_t loadCoherent(const uint32_t *p) { return loadGlobal(p); }
inline Words2 loadCoherent(const Words2 *p) { return loadGlobal(p); }
template <class T>
inline void storeGlobal(T *p, T value) {
  emulator::requireAligned(p, sizeof(T));
  *p = value;
}

inline uint32_t atomicAdd(uint32_t *p, uint32_t value) {
  uint32_t before = *p;
  *p += value;
  return before;
}
inline void atomicOr(uint32_t *p, uint32_t value) { *p |= value; }

template <class T>
inline T shuffle(T value, int lane) {
  return emulator::shuffle(value, lane, false);
}
template <class T>
inline T shuffleXor(T value, int mask) {
  return emulator::shuffle(value, mask, true);
}

inline void copyAsync16(void *shared, const void *global, int bytes = 16) {
  emulator::Block::running().copyAsync(shared, global, bytes);
}
inline void commitAsync() { emulator::Block::running().commitAsync(); }
template <int pending>
inline void waitAsync() {
  emulator::Block::running().waitAsync(pending);
}

inline void loadMatrix4(uint32_t (&d)[4], const void *shared) {
  emulator::loadMatrix4(d, shared, false);
}
inline void loadMatrix4Transposed(uint32_t (&d)[4], const void *shared) {
  emulator::loadMatrix4(d, shared, true);
}
inline void mmaF16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  emulator::mma16(d, a, b, f16ToF32);
}
inline void mmaBf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  emulator::mma16(d, a, b, bf16ToF32);
}
inline void mmaU8S8(int32_t (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  emulator::mma8(d, a, b);
}

template <uint32_t mask, uint32_t magic>
inline uint32_t maskOr(uint32_t a) {
  return (a & mask) | magic;
}
template <uint32_t mask, uint32_t magic>
inline uint32_t maskXor(uint32_t a) {
  return (a & mask) ^ magic;
}
inline uint32_t permuteBytes(uint32_t a, uint32_t b, uint32_t selector) {
  return emulator::permuteBytes(a, b, selector);
}

inline uint32_t fmaF16x2(uint32_t a, uint32_t b, uint32_t c) { return emulator::fmaF16x2(a, b, c); }
inline uint32_t addF16x2(uint32_t a, uint32_t b) {
  return emulator::fmaF16x2(a, 0x3c003c00u, b); // a * 1 + b
}
inline uint32_t mulF16x2(uint32_t a, uint32_t b) {
  return emulator::fmaF16x2(a, b, 0x80008000u); // a * b + -0
}
inline uint32_t fmaBf16x2(uint32_t a, uint32_t b, uint32_t c) {
  return emulator::fmaBf16x2(a, b, c);
}

inline uint32_t packF16(float low, float high) {
  return f32ToF16(low) | uint32_t(f32ToF16(high)) << 16;
}
inline uint32_t packBf16(float low, float high) {
  return f32ToBf16(low) | uint32_t(f32ToBf16(high)) << 16;
}
inline float floatOfF16(uint16_t bits) { return f16ToF32(bits); }
inline float floatOfBf16(uint16_t bits) { return bf16ToF32(bits); }
inline float floatOfBits(uint32_t bits) { return std::bit_cast<float>(bits); }
inline uint32_t bitsOfFloat(float value) { return std::bit_cast<uint32_t>(value); }

inline float exp2Fast(float x) { return std::exp2(x); }

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_EMULATOR_EMULATEDSIMT_H
