//===- CudaStepBuffers.cpp - The arrays of a step, on the host and on the device -------------===//
#include "Engine/CudaStepBuffers.h"

#include <algorithm>
#include <cstring>

namespace qrt {

int64_t CudaStepBuffers::bytes(int64_t rows, int64_t parts, int64_t blockStride, bool precise) {
  return rows * 4 * 4 + parts * int64_t(sizeof(cuda::Part)) +
         parts * blockStride * (precise ? 8 : 4);
}

Result<CudaStepBuffers> CudaStepBuffers::create(CudaDevice &device, int64_t rows, int64_t parts,
                                                int64_t blockStride, bool precise) {
  CudaStepBuffers made(device, rows, parts, blockStride);
  const int64_t size = bytes(rows, parts, blockStride, precise);
  QRT_ASSIGN_OR_RETURN(made.host, device.allocatePinned(size, "arrays of a step"));
  QRT_ASSIGN_OR_RETURN(made.memory, device.allocate(size, "arrays of a step"));
  std::memset(made.host.get(), 0, size_t(size));
  QRT_RETURN_IF_ERROR(device.fill(made.memory.get(), 0, size));
  made.hostParts = static_cast<cuda::Part *>(made.host.get());
  made.hostPositions = reinterpret_cast<int32_t *>(made.hostParts + parts);
  made.hostPartOfRow = made.hostPositions + rows;
  made.hostSelected = made.hostPartOfRow + rows;
  made.hostIds = made.hostSelected + rows;
  made.hostBlocks = made.hostIds + rows;
  made.hostPrecise = precise ? made.hostBlocks + parts * blockStride : nullptr;
  return made;
}

void CudaStepBuffers::clear() { rowCount = partCount = selectedCount = 0; }

/// The table of the part that is added.
void CudaStepBuffers::setTable(int32_t *table, std::span<const int32_t> blocks, int64_t &changed) {
  int32_t *row = table + partCount * stride;
  if (std::equal(blocks.begin(), blocks.end(), row))
    return;
  std::copy(blocks.begin(), blocks.end(), row);
  changed = std::max(changed, partCount + 1);
}

void CudaStepBuffers::addPart(std::span<const int32_t> tokens, int64_t position,
                              const CudaBlocks &blocks) {
  hostParts[partCount] = {int32_t(rowCount), int32_t(tokens.size()), int32_t(position),
                          int32_t(blocks.preciseFrom)};
  for (size_t i = 0; i < tokens.size(); ++i) {
    hostIds[rowCount] = tokens[i];
    hostPositions[rowCount] = int32_t(position + int64_t(i));
    hostPartOfRow[rowCount] = int32_t(partCount);
    ++rowCount;
  }
  setTable(hostBlocks, blocks.stored, changedBlocks);
  if (hostPrecise)
    setTable(hostPrecise, blocks.precise, changedPrecise);
  ++partCount;
}

void CudaStepBuffers::select(int64_t row) { hostSelected[selectedCount++] = int32_t(row); }

void CudaStepBuffers::pad(int64_t rows) {
  for (; rowCount < rows; ++rowCount) {
    hostIds[rowCount] = hostPositions[rowCount] = 0;
    hostPartOfRow[rowCount] = -1;
    hostSelected[selectedCount++] = int32_t(rowCount);
    hostParts[partCount++] = {int32_t(rowCount), 0, 0, 0};
  }
}

Status CudaStepBuffers::copyBlocks() {
  const int64_t blocks = changedBlocks * stride * 4, precise = changedPrecise * stride * 4;
  changedBlocks = changedPrecise = 0;
  QRT_RETURN_IF_ERROR(device->copyToDevice(there(hostBlocks), hostBlocks, blocks));
  return precise ? device->copyToDevice(there(hostPrecise), hostPrecise, precise) : Status::ok();
}

Status CudaStepBuffers::copyRows() {
  return device->copyToDevice(memory.get(), host.get(), rowsBytes());
}

Status CudaStepBuffers::copyIds() {
  return device->copyToDevice(there(hostIds), hostIds, rowCount * 4);
}

cuda::StepState CudaStepBuffers::state(int64_t parts, int64_t firstSelected) const {
  cuda::StepState state;
  state.ids = there(hostIds);
  state.positions = there(hostPositions);
  state.partOfRow = there(hostPartOfRow);
  state.parts = reinterpret_cast<const cuda::Part *>(there(hostParts));
  state.blocks = there(hostBlocks);
  state.preciseBlocks = hostPrecise ? there(hostPrecise) : nullptr;
  state.selectedRows = there(hostSelected) + firstSelected;
  state.partCount = int32_t(parts);
  state.blockStride = int32_t(stride);
  return state;
}

} // namespace qrt
