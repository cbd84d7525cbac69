//===- Probe.h - What the machine can do at this moment ---------------------------------------===//
// Speed means little without its limit, and shared machines change their limits within minutes. The
// probes measure the two limits of a model, to be run in turns with it:
//
//   read        bytes per second of plain loads over the very memory the model streams
//   arithmetic  operations per second (a multiply-add is two) of independent instructions on
//               registers, per kind of product that the kernels of the instruction set use
//
// Thread safety: as the thread pool.
#ifndef QRT_BENCH_PROBE_H
#define QRT_BENCH_PROBE_H

#include "kernels/cpu/Isa.h"
#include "kernels/cpu/threading/ThreadPool.h"

#include <cstdint>
#include <span>
#include <vector>

namespace qrt::bench {

using Bytes = std::span<const uint8_t>;

/// Reads all parts once, split over the pool by bytes; seconds.
double readSeconds(kernels::ThreadPool &pool, const std::vector<Bytes> &parts);

/// Products that are limited by different instructions.
enum class Arithmetic { F32, Bf16, Int8 };
const char *arithmeticName(Arithmetic kind); ///< "f32", "bf16", "int8"

/// Operations per second over all threads of the pool, measured for about 10 ms; 0 where the
/// instruction set has no such products (or is Scalar). `isa` must be one this machine executes.
/// AVX2 int8 is vpmaddubsw + vpaddw, the fastest way to add up int8 products there.
double operationsPerSecond(kernels::ThreadPool &pool, kernels::Isa isa, Arithmetic kind);

} // namespace qrt::bench

#endif // QRT_BENCH_PROBE_H
