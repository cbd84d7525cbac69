//===- FloatBuffer.h - Growing 64-byte aligned floats under a budget -------------------------===//
// Contents are not kept when it grows; fresh memory is not touched, so pages that are never used
// cost nothing.
#ifndef QRT_ENGINE_FLOATBUFFER_H
#define QRT_ENGINE_FLOATBUFFER_H

#include "Engine/MemoryBudget.h"

#include <cstdlib>
#include <memory>

namespace qrt {

class FloatBuffer {
public:
  Status reserve(int64_t floats, MemoryBudget &budget, const std::string &what) {
    if (floats <= capacity)
      return Status::ok();
    memory.reset();
    budget.giveBack(capacity * int64_t(sizeof(float)));
    capacity = 0;
    int64_t bytes = (floats * int64_t(sizeof(float)) + 63) / 64 * 64;
    QRT_RETURN_IF_ERROR(budget.take(bytes, what));
    memory.reset(static_cast<float *>(std::aligned_alloc(64, static_cast<size_t>(bytes))));
    if (!memory) {
      budget.giveBack(bytes);
      return resourceExhausted(what + ": the system refused " + std::to_string(bytes) + " bytes");
    }
    capacity = bytes / int64_t(sizeof(float));
    return Status::ok();
  }
  float *data() const { return memory.get(); }

private:
  struct Free {
    void operator()(float *p) const { std::free(p); }
  };
  std::unique_ptr<float, Free> memory;
  int64_t capacity = 0;
};

} // namespace qrt

#endif // QRT_ENGINE_FLOATBUFFER_H
