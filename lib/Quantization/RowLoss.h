//===- RowLoss.h - e H e^T of single rows -----------------------------------------------------===//
#ifndef QOPT_LIB_QUANTIZATION_ROWLOSS_H
#define QOPT_LIB_QUANTIZATION_ROWLOSS_H

#include "qopt/Quantization/QuantizedMatrix.h"

namespace qopt::quantization {

/// Rows that one job works on: enough to read the Hessian seldom, few enough to share.
inline constexpr int64_t panelRows = 96;
/// The same where every worker gets an equal number of jobs: up to 240, a multiple of 8. What is
/// done with rows one by one does not depend on it.
int64_t panelRowsFor(int64_t rows, int workers);

/// loss[r] = e_r H e_r^T for rows e [rows, k]. H [k, k] is symmetric: only the part below the
/// diagonal of each column block is read. Products in f32, sums of a row in f64.
void rowLosses(const float *e, int64_t rows, int64_t k, const float *h, double *loss);

/// x' of one row.
void dequantizeRow(const QuantizedMatrix &matrix, int64_t row, float *out);

} // namespace qopt::quantization

#endif // QOPT_LIB_QUANTIZATION_ROWLOSS_H
