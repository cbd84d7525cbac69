//===- CudaStepBuffers.h - The arrays of a step, on the host and on the device ---------------===//
// What cuda::StepState points to, with fixed places for a number of rows and sequences: filled on
// the host, copied in one piece (rows and parts) and, where it changed, a second one (block
// tables), and read by kernels, so that a captured graph sees each step's values.
#ifndef QRT_ENGINE_CUDASTEPBUFFERS_H
#define QRT_ENGINE_CUDASTEPBUFFERS_H

#include "Device/CudaDevice.h"

#include <span>
#include <vector>

namespace qrt {

/// Blocks of the device's KV cache that hold a sequence.
struct CudaBlocks {
  std::vector<int32_t> stored;
  std::vector<int32_t> precise; ///< as many; -1: there is none
  int64_t preciseFrom = 0;      ///< tokens from here on have a precise copy
};

class CudaStepBuffers {
public:
  /// precise: with tables of precise blocks.
  static int64_t bytes(int64_t rows, int64_t parts, int64_t blockStride, bool precise);
  static Result<CudaStepBuffers> create(CudaDevice &device, int64_t rows, int64_t parts,
                                        int64_t blockStride, bool precise);

  /// Begins a step: nothing in it.
  void clear();
  /// A part: `tokens` at `position` .. of a sequence with these blocks. Rows follow those before.
  void addPart(std::span<const int32_t> tokens, int64_t position, const CudaBlocks &blocks);
  /// The last row's logits are wanted, or those of row `row`.
  void select(int64_t row);
  int64_t rows() const { return rowCount; }
  int64_t parts() const { return partCount; }
  int64_t selectedRows() const { return selectedCount; }
  int64_t selectedRow(int64_t i) const { return hostSelected[i]; }
  /// Fills rows and parts up to `rows` with unused ones, whose logits are taken too.
  void pad(int64_t rows);

  /// Enqueues the copy of the block tables if they changed since the last one.
  Status copyBlocks();
  /// Enqueues the copy of rows and parts but for the ids. Can be captured.
  Status copyRows();
  /// Enqueues the copy of the ids; without it those in device memory stay.
  Status copyIds();
  int32_t *deviceIds() const { return there(hostIds); }
  /// With `parts` sequences, from selected row `firstSelected` on.
  cuda::StepState state(int64_t parts, int64_t firstSelected = 0) const;

private:
  CudaStepBuffers(CudaDevice &device, int64_t rows, int64_t parts, int64_t blockStride)
      : device(&device), maxRows(rows), maxParts(parts), stride(blockStride) {}
  void setTable(int32_t *table, std::span<const int32_t> blocks, int64_t &changed);
  /// Of everything before the ids.
  int64_t rowsBytes() const { return maxRows * 3 * 4 + maxParts * int64_t(sizeof(cuda::Part)); }
  /// Where in device memory the copy of this place is.
  int32_t *there(const void *pointer) const {
    return reinterpret_cast<int32_t *>(
        static_cast<char *>(memory.get()) +
        (static_cast<const char *>(pointer) - static_cast<const char *>(host.get())));
  }

  CudaDevice *device;
  int64_t maxRows, maxParts, stride;
  int64_t rowCount = 0, partCount = 0, selectedCount = 0;
  int64_t changedBlocks = 0, changedPrecise = 0; ///< parts whose tables are to be copied
  CudaDevice::Pinned host;
  CudaDevice::Memory memory;
  int32_t *hostIds = nullptr, *hostPositions = nullptr, *hostPartOfRow = nullptr,
          *hostSelected = nullptr, *hostBlocks = nullptr, *hostPrecise = nullptr;
  cuda::Part *hostParts = nullptr;
};

} // namespace qrt

#endif // QRT_ENGINE_CUDASTEPBUFFERS_H
