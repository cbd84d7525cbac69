//===- hadamard.cpp - Walsh-Hadamard transform over a batch -------------------===//
//
// Splits over rows of `inner` results, m of them per block: one token in decode keeps all threads
// busy where m is not 1, and without it there is little to do.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/hadamard/hadamard.h"

#include "kernels/cpu/vector/Variants.h"

#include <algorithm>

namespace qrt::kernels {

void hadamard(ThreadPool &pool, const HadamardArgs &args) {
  const int64_t inner = args.block / args.baseOrder, rows = args.tokens * (args.width / inner);
  // Tiles of four rows, and so many of them that a thread has more to do than to meet the others.
  const int64_t work = inner * (args.baseOrder + 16);
  int64_t grain = std::max<int64_t>(1, 65536 / work);
  if (args.base)
    grain = (grain + 3) / 4 * 4;
  pool.parallelFor(rows, grain, [&](int64_t begin, int64_t end, int) {
    activeVectorKernels().hadamard(args, begin, end);
  });
}

} // namespace qrt::kernels
