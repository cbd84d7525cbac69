//===- MemoryPlan.h - What a limit leaves for activations ------------------------------------===//
#ifndef QOPT_LIB_CALIBRATION_MEMORYPLAN_H
#define QOPT_LIB_CALIBRATION_MEMORYPLAN_H

#include "qopt/Calibration/Sweep.h"

namespace qopt::calibration {

/// Bytes that quantizing the largest of the groups takes besides activations: its Hessian, factors
/// and weights.
int64_t quantizerBytes(const std::vector<LinearGroup> &groups);

/// Bytes of activations that may stay in memory when the process is to hold at most `maxMemory` (0:
/// half of what is free now). ResourceExhausted, with figures, if not even the quantizer fits.
qrt::Result<int64_t> activationBytes(const std::vector<LinearGroup> &groups, int64_t maxMemory);

} // namespace qopt::calibration

#endif // QOPT_LIB_CALIBRATION_MEMORYPLAN_H
