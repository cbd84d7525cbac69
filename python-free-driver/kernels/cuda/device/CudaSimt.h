//===- CudaSimt.h - the functions of Simt.h on an NVIDIA GPU ------------------===//

#ifndef QRT_KERNELS_CUDA_DEVICE_CUDASIMT_H
#define QRT_KERNELS_CUDA_DEVICE_CUDASIMT_H

#include <cuda_runtime.h>

#define QRT_DEVICE __device__ __forceinline__
#define QRT_UNROLL _Pragma("unroll")
#define QRT_UNROLL_4 _Pragma("unroll 4")
#define QRT_NO_UNROLL _Pragma("unroll 1")

namespace qrt::cuda {

QRT_DEVICE int threadIndex() { return threadIdx.x; }
QRT_DEVICE int blockThreads() { return blockDim.x; }
QRT_DEVICE int laneIndex() { return threadIdx.x & 31; }
QRT_DEVICE int warpIndex() { return threadIdx.x >> 5; }
QRT_DEVICE GridSize blockIndex() { return {int(blockIdx.x), int(blockIdx.y), int(blockIdx.z)}; }
QRT_DEVICE GridSize gridSize() { return {int(gridDim.x), int(gridDim.y), int(gridDim.z)}; }

extern __shared__ __align__(128) uint8_t qrtSharedMemory[];
QRT_DEVICE uint8_t *sharedMemory() { return qrtSharedMemory; }

QRT_DEVICE void syncThreads() { __syncthreads(); }
QRT_DEVICE void syncWarp() { __syncwarp(); }
/// Orders this thread's writes to global memory before its later ones, for all blocks.
QRT_DEVICE void fenceGlobal() { __threadfence(); }

/// Until this returns, the kernel before may still run (Launch.h): only what no kernel of the graph
/// writes may be read, and nothing written. Every thread calls it once.
QRT_DEVICE void waitForKernelBefore() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

/// Tells the host, whose memory *p is, that what this thread wrote before is there.
QRT_DEVICE void publish(uint64_t *p, uint64_t value) {
  __threadfence_system();
  *static_cast<volatile uint64_t *>(p) = value;
}

template <class T>
QRT_DEVICE T loadShared(const T *p) {
  return *p;
}
template <class T>
QRT_DEVICE void storeShared(T *p, T value) {
  *p = value;
}
template <class T>
QRT_DEVICE T loadGlobal(const T *p) {
  return *p;
}
/// Data that no kernel of the running graph writes: weights, tables.
template <class T>
QRT_DEVICE T loadConstant(const T *p) {
  return *p;
}
template <>
QRT_DEVICE Words4 loadConstant(const Words4 *p) {
  uint4 v = __ldg(reinterpret_cast<const uint4 *>(p));
  return {{v.x, v.y, v.z, v.w}};
}
template <>
QRT_DEVICE uint16_t loadConstant(const uint16_t *p) {
  return __ldg(p);
}
template <>
QRT_DEVICE float loadConstant(const float *p) {
  return __ldg(p);
}
template <>
QRT_DEVICE uint8_t loadConstant(const uint8_t *p) {
  return __ldg(p);
}
/// Written by other blocks of the same launch: read from L2, where their fences put it.
QRT_DEVICE float loadCoherent(const float *p) { return __ldcg(p); }
QRT_DEVICE uint32_t loadCoherent(const uint32_t *p) { return __ldcg(p); }
QRT_DEVICE Words2 loadCoherent(const Words2 *p) {
  const uint2 v = __ldcg(reinterpret_cast<const uint2 *>(p));
  return {{v.x, v.y}};
}
template <class T>
QRT_DEVICE void storeGlobal(T *p, T value) {
  *p = value;
}

QRT_DEVICE uint32_t atomicAdd(uint32_t *p, uint32_t value) { return ::atomicAdd(p, value); }
QRT_DEVICE void atomicOr(uint32_t *p, uint32_t value) { ::atomicOr(p, value); }

template <class T>
QRT_DEVICE T shuffle(T value, int lane) {
  return __shfl_sync(0xffffffffu, value, lane);
}
template <class T>
QRT_DEVICE T shuffleXor(T value, int mask) {
  return __shfl_xor_sync(0xffffffffu, value, mask);
}

// No cache policy: with one, ptxas of CUDA 13.0 takes an odd uniform register for the descriptor of
// a copy whose address in shared memory is uniform, which is an illegal instruction (sass.test).
/// Copies 16 bytes to shared memory; `bytes` of them are read, the others become zero. The copy is
/// complete, for this thread, after the waitAsync that covers its group.
QRT_DEVICE void copyAsync16(void *shared, const void *global, int bytes = 16) {
  uint32_t to = static_cast<uint32_t>(__cvta_generic_to_shared(shared));
  asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;\n" ::"r"(to), "l"(global),
               "r"(bytes)
               : "memory");
}
QRT_DEVICE void commitAsync() { asm volatile("cp.async.commit_group;\n" ::: "memory"); }
/// All but the newest `pending` groups of this thread are complete.
template <int pending>
QRT_DEVICE void waitAsync() {
  asm volatile("cp.async.wait_group %0;\n" ::"n"(pending) : "memory");
}

/// Four 8x8 matrices of 16-bit elements; lane i gives the address of row i % 8 of matrix i / 8.
QRT_DEVICE void loadMatrix4(uint32_t (&d)[4], const void *shared) {
  uint32_t from = static_cast<uint32_t>(__cvta_generic_to_shared(shared));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];\n"
               : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3])
               : "r"(from)
               : "memory");
}
QRT_DEVICE void loadMatrix4Transposed(uint32_t (&d)[4], const void *shared) {
  uint32_t from = static_cast<uint32_t>(__cvta_generic_to_shared(shared));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];\n"
               : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3])
               : "r"(from)
               : "memory");
}

/// d += a b, m16n8k16, f32 sums.
QRT_DEVICE void mmaF16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, "
               "{%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};\n"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
QRT_DEVICE void mmaBf16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, "
               "{%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};\n"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
/// d += a b, m16n8k32, a unsigned and b signed bytes.
QRT_DEVICE void mmaU8S8(int32_t (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32 {%0, %1, %2, %3}, "
               "{%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};\n"
               : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

/// (a & mask) | magic, and (a & mask) ^ magic, as one instruction.
template <uint32_t mask, uint32_t magic>
QRT_DEVICE uint32_t maskOr(uint32_t a) {
  uint32_t d;
  asm("lop3.b32 %0, %1, %2, %3, 0xEA;\n" : "=r"(d) : "r"(a), "n"(mask), "n"(magic));
  return d;
}
template <uint32_t mask, uint32_t magic>
QRT_DEVICE uint32_t maskXor(uint32_t a) {
  uint32_t d;
  asm("lop3.b32 %0, %1, %2, %3, 0x6A;\n" : "=r"(d) : "r"(a), "n"(mask), "n"(magic));
  return d;
}
QRT_DEVICE uint32_t permuteBytes(uint32_t a, uint32_t b, uint32_t selector) {
  return __byte_perm(a, b, selector);
}

/// Packed 16-bit arithmetic, each operation rounded once.
QRT_DEVICE uint32_t fmaF16x2(uint32_t a, uint32_t b, uint32_t c) {
  uint32_t d;
  asm("fma.rn.f16x2 %0, %1, %2, %3;\n" : "=r"(d) : "r"(a), "r"(b), "r"(c));
  return d;
}
QRT_DEVICE uint32_t addF16x2(uint32_t a, uint32_t b) {
  uint32_t d;
  asm("add.f16x2 %0, %1, %2;\n" : "=r"(d) : "r"(a), "r"(b));
  return d;
}
QRT_DEVICE uint32_t mulF16x2(uint32_t a, uint32_t b) {
  uint32_t d;
  asm("mul.rn.f16x2 %0, %1, %2;\n" : "=r"(d) : "r"(a), "r"(b));
  return d;
}
QRT_DEVICE uint32_t fmaBf16x2(uint32_t a, uint32_t b, uint32_t c) {
  uint32_t d;
  asm("fma.rn.bf16x2 %0, %1, %2, %3;\n" : "=r"(d) : "r"(a), "r"(b), "r"(c));
  return d;
}

/// Two floats, rounded to the nearest, ties to even; the first in the low half.
QRT_DEVICE uint32_t packF16(float low, float high) {
  uint32_t d;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;\n" : "=r"(d) : "f"(high), "f"(low));
  return d;
}
QRT_DEVICE uint32_t packBf16(float low, float high) {
  uint32_t d;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;\n" : "=r"(d) : "f"(high), "f"(low));
  return d;
}
QRT_DEVICE float floatOfF16(uint16_t bits) {
  float d;
  asm("cvt.f32.f16 %0, %1;\n" : "=f"(d) : "h"(bits));
  return d;
}
QRT_DEVICE float floatOfBf16(uint16_t bits) { return __uint_as_float(uint32_t(bits) << 16); }
QRT_DEVICE float floatOfBits(uint32_t bits) { return __uint_as_float(bits); }
QRT_DEVICE uint32_t bitsOfFloat(float value) { return __float_as_uint(value); }

/// 2^x, to 2 units in the last place.
QRT_DEVICE float exp2Fast(float x) {
  float d;
  asm("ex2.approx.ftz.f32 %0, %1;\n" : "=f"(d) : "f"(x));
  return d;
}

} // namespace qrt::cuda

#endif // QRT_KERNELS_CUDA_DEVICE_CUDASIMT_H
