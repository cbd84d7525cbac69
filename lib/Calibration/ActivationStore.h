//===- ActivationStore.h - Activations between two groups ------------------------------------===//
// [rows, width] floats, in memory while the budget lasts, else in an unnamed file that vanishes
// with the process. Not thread-safe.
#ifndef QOPT_LIB_CALIBRATION_ACTIVATIONSTORE_H
#define QOPT_LIB_CALIBRATION_ACTIVATIONSTORE_H

#include "qrt/Status.h"

#include <cstdint>
#include <memory>
#include <string>

namespace qopt::calibration {

/// Bytes that stores may hold in memory, all together.
struct ActivationBudget {
  int64_t free = 0;
  std::string directory; ///< for files; "": TMPDIR or /tmp
  int64_t spilledBytes = 0;
};

class ActivationStore {
public:
  /// ResourceExhausted or CannotWrite if neither memory nor a file can be had.
  static qrt::Result<std::unique_ptr<ActivationStore>> create(int64_t rows, int64_t width,
                                                              ActivationBudget &budget);
  ~ActivationStore();
  ActivationStore(const ActivationStore &) = delete;

  /// Row `first` in memory; null if this store is a file.
  float *rows(int64_t first) { return fd < 0 ? memory.get() + first * width : nullptr; }
  qrt::Status write(int64_t first, int64_t count, const float *values);
  qrt::Status read(int64_t first, int64_t count, float *values) const;

private:
  ActivationStore(int64_t width, ActivationBudget &budget) : width(width), budget(budget) {}

  int64_t width;
  ActivationBudget &budget;
  std::unique_ptr<float[]> memory; ///< not cleared: filled by the threads that compute the rows
  int64_t bytes = 0;               ///< of memory
  int fd = -1;
};

} // namespace qopt::calibration

#endif // QOPT_LIB_CALIBRATION_ACTIVATIONSTORE_H
