//===- Parallel.h - The thread pool that a caller lends to the numerics -----------------------===//
// lib/Quantization starts no threads. A caller passes a function that runs a body once for every
// index in [0, count), in any order and on any threads, and returns when all are done. Every
// function here splits its work so that no result depends on how that is done: an element is always
// computed by one index, in an order that is fixed by the sizes alone.
#ifndef QOPT_QUANTIZATION_PARALLEL_H
#define QOPT_QUANTIZATION_PARALLEL_H

#include <cstdint>
#include <functional>

namespace qopt::quantization {

using IndexBody = std::function<void(int64_t index)>;
using ParallelFor = std::function<void(int64_t count, const IndexBody &body)>;

/// Runs all indices on the calling thread, in order.
inline void serialFor(int64_t count, const IndexBody &body) {
  for (int64_t i = 0; i < count; ++i)
    body(i);
}

} // namespace qopt::quantization

#endif // QOPT_QUANTIZATION_PARALLEL_H
