//===- Run.h - One run of a token-major program ----------------------------------------------===//
// What instructions see while they execute: where values lie, which rows belong to which sequence.
// A run covers T tokens (rows) of several sequences; values behind SelectRows hold only the S rows
// whose logits are wanted and lie in a second arena. Row r of a value is width floats at
// arena + arenaOffset * T + r * width.
#ifndef QRT_ENGINE_RUN_H
#define QRT_ENGINE_RUN_H

#include "Engine/KvCache.h"
#include "kernels/cpu/Workspace.h"
#include "kernels/cpu/threading/ThreadPool.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace qrt {

/// Consecutive rows of one sequence.
struct RunPart {
  KvCache::Sequence *sequence;
  int64_t firstRow, tokens;
  int64_t position; ///< of the first row
};

/// Consecutive rows that are computed with one weight set.
struct RowSegment {
  int64_t firstRow = 0, rows = 0;
  bool alternate = false;
};
/// Appends one row.
inline void addRow(std::vector<RowSegment> &segments, bool alternate) {
  if (segments.empty() || segments.back().alternate != alternate)
    segments.push_back(
        {segments.empty() ? 0 : segments.back().firstRow + segments.back().rows, 0, alternate});
  ++segments.back().rows;
}

struct Run {
  kernels::ThreadPool &pool;
  kernels::Workspace &workspace;
  int64_t tokens = 0; ///< T
  float *arena = nullptr;
  float *selectedArena = nullptr;
  std::vector<int32_t> ids, positions; ///< [T]
  std::vector<int64_t> selectedRows;   ///< S rows, ascending
  std::vector<RunPart> parts;
  KvSpec kv;
  std::vector<RowSegment> segments, selectedSegments; ///< of the T and of the S rows
  /// cos and sin tables [T, half] of each distinct (frequencies, scaling) of the program.
  std::vector<std::vector<float>> ropeCos, ropeSin;
};

/// Where a Buffer value lies; resolved against a run.
struct BufferRef {
  int64_t arenaOffset = 0, width = 0;
  bool selected = false;

  int64_t rows(const Run &run) const {
    return selected ? int64_t(run.selectedRows.size()) : run.tokens;
  }
  float *data(const Run &run) const {
    return selected ? run.selectedArena + arenaOffset * rows(run)
                    : run.arena + arenaOffset * run.tokens;
  }
};

/// An instruction with everything resolved that does not depend on the run.
using BoundInstruction = std::function<Status(Run &)>;

} // namespace qrt

#endif // QRT_ENGINE_RUN_H
