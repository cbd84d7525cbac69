//===- LinearTable.h - Calibrated linears in reports -----------------------------------------===//
#ifndef QOPT_TOOLS_QOPT_LINEARTABLE_H
#define QOPT_TOOLS_QOPT_LINEARTABLE_H

#include "qopt/Calibration/FoldAwqScales.h"
#include "qopt/Calibration/MixedPrecision.h"
#include "qopt/Calibration/QuantizeCalibrated.h"

#include "Support/Json.h"

#include "llvm/Support/raw_ostream.h"

namespace qopt {

/// One line of the table, with how far the work is.
void printLinear(const calibration::LinearReport &linear, int64_t done, int64_t count,
                 double secondsLeft, llvm::raw_ostream &os);
/// Scales of one group, or why it has none. `measure` is what the report's losses are.
void printScaleGroup(const char *method, const char *measure, const calibration::ScaleReport &group,
                     int64_t done, int64_t count, llvm::raw_ostream &os);
/// The mix, what other budgets would give, and what stays f16.
void printMix(const calibration::MixedReport &mix, llvm::raw_ostream &os);
qrt::OrderedJson mixJson(const calibration::MixedReport &mix);
qrt::OrderedJson scalesJson(const std::vector<calibration::ScaleReport> &groups);
/// Sums over all linears, and those with the largest loss.
void printLinearSummary(const std::vector<calibration::LinearReport> &linears,
                        llvm::raw_ostream &os);
/// Losses are given as parts of the output's energy, and as they are.
qrt::OrderedJson linearsJson(const std::vector<calibration::LinearReport> &linears);

} // namespace qopt

#endif // QOPT_TOOLS_QOPT_LINEARTABLE_H
