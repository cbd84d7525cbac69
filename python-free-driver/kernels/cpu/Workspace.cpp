//===- Workspace.cpp - scratch memory of the kernels -------------------------===//
//
// Grow-only, so that a sequence of steps of the same size allocates once.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/Workspace.h"

#include <cstdint>
#include <string>

namespace qrt::kernels {

Status Workspace::reserve(size_t bytes) {
  if (bytes <= capacity)
    return Status::ok();
  if (bytes > SIZE_MAX - 64)
    return Status::error(StatusCode::ResourceExhausted, "kernel workspace: size overflows");
  size_t rounded = (bytes + 63) / 64 * 64;
  memory.reset();
  capacity = 0;
  memory.reset(static_cast<std::byte *>(std::aligned_alloc(64, rounded)));
  if (!memory)
    return Status::error(StatusCode::ResourceExhausted,
                         "kernel workspace: cannot allocate " + std::to_string(rounded) + " bytes");
  capacity = rounded;
  return Status::ok();
}

} // namespace qrt::kernels
