//===- KvPages.h - Keys and values of one chunk in one layer ---------------------------------===//
// Pages in the layout of kernels/cpu/attention/attention.h. A layer's cache is needed only while
// its attention runs, so one set of pages serves all layers.
#ifndef QOPT_LIB_CALIBRATION_KVPAGES_H
#define QOPT_LIB_CALIBRATION_KVPAGES_H

#include "kernels/cpu/attention/attention.h"
#include "qrt/Status.h"

#include <cstdlib>
#include <memory>
#include <vector>

namespace qopt::calibration {

class KvPages {
public:
  /// Page pointers of one sequence.
  struct Sequence {
    std::vector<void *> keys, values;
  };

  /// Pages for sequences of these lengths; their contents are finite, else undefined.
  qrt::Status prepare(const std::vector<int64_t> &lengths, int64_t kvHeads, int64_t headDim,
                      int64_t valueDim);
  const Sequence &sequence(size_t index) const { return table[index]; }

private:
  struct Free {
    void operator()(void *p) const { std::free(p); }
  };
  std::unique_ptr<void, Free> memory;
  size_t capacity = 0;
  std::vector<Sequence> table;
};

} // namespace qopt::calibration

#endif // QOPT_LIB_CALIBRATION_KVPAGES_H
