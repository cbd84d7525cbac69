//===- Workspace.h - scratch memory of the kernels ---------------------------===//
//
// Kernels allocate nothing while they run: they take scratch memory from a workspace
// that its owner sized beforehand (linearWorkspaceBytes and the like) and keeps.
// Not thread safe: one workspace per thread pool.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_WORKSPACE_H
#define QRT_KERNELS_CPU_WORKSPACE_H

#include "qrt/Status.h"

#include <cstddef>
#include <cstdlib>
#include <memory>

namespace qrt::kernels {

class Workspace {
public:
  /// Makes at least `bytes` available at data(); never shrinks; contents are not kept when it
  /// grows. ResourceExhausted if the memory cannot be had.
  Status reserve(size_t bytes);

  /// 64-byte aligned; null before the first reserve of a positive size.
  std::byte *data() const { return memory.get(); }
  size_t size() const { return capacity; }

private:
  struct Free {
    void operator()(std::byte *p) const { std::free(p); }
  };
  std::unique_ptr<std::byte[], Free> memory;
  size_t capacity = 0;
};

} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_WORKSPACE_H
