//===- FileSize.cpp - How large a .qmod file will be -----------------------------------------===//
// The same steps as Writer.cpp, on sizes.
#include "Format/FileSize.h"

#include "Format/Container.h"
#include "Format/ProgramEncoding.h"
#include "Format/Verifier.h"

namespace qrt {

static uint64_t alignUp(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

Result<int64_t> plannedFileBytes(Program program, std::span<const TensorEntry> tensors,
                                 std::span<const int64_t> textSections) {
  uint64_t weights = 0;
  auto place = [&](uint64_t size, uint64_t &offset, uint64_t &bytes) {
    offset = bytes = 0;
    if (size == 0)
      return;
    offset = alignUp(weights, tensorAlignment);
    bytes = size;
    weights = offset + size;
  };
  program.tensors.assign(tensors.begin(), tensors.end());
  for (TensorEntry &entry : program.tensors) {
    auto sizes = tensorStreams(entry);
    if (!sizes)
      return invalidArgument(sizes.status().message());
    place(sizes->data, entry.dataOffset, entry.dataBytes);
    place(sizes->scales, entry.scalesOffset, entry.scalesBytes);
    place(sizes->zeroPoints, entry.zeroPointsOffset, entry.zeroPointsBytes);
  }
  QRT_ASSIGN_OR_RETURN(std::vector<uint8_t> encoded, encodeProgram(program));
  uint64_t position = alignUp(sizeof(FileHeader), sectionAlignment) + weights;
  for (int64_t size : textSections)
    position = alignUp(position, sectionAlignment) + static_cast<uint64_t>(size);
  return static_cast<int64_t>(alignUp(position, sectionAlignment) + encoded.size());
}

} // namespace qrt
