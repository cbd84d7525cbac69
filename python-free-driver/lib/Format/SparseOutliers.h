//===- SparseOutliers.h - Weights of a quantized linear that are kept in f16 -----------------===//
// A quantized Linear may carry single weights as a sparse f16 matrix [N, K], which is added to the
// matrix of its codes. Three plain tensors hold it by rows; the columns of a
// row ascend. A product with the alternate weight takes no outliers.
// Thread safety: free functions without state.
#ifndef QRT_FORMAT_SPARSEOUTLIERS_H
#define QRT_FORMAT_SPARSEOUTLIERS_H

#include "Format/Program.h"
#include "kernels/cpu/sparse/sparse.h"
#include "qrt/Status.h"

#include <optional>
#include <span>

namespace qrt {

/// Operands of a Linear: rows i32 [N + 1], columns u16 [E], values f16 [E] follow each other.
inline constexpr size_t outlierOperand = 4;
/// Columns are u16.
inline constexpr int64_t maxOutlierColumns = 65536;

/// Tensors of a Linear's outliers.
struct OutlierTensors {
  int32_t rows, columns, values;
};
/// Nothing for other instructions and where there are none.
std::optional<OutlierTensors> outlierTensors(const Program &program, const Instruction &linear);

/// The matrix as the kernel reads it; none: without rows. `weights` is the WEIGHTS section.
kernels::SparseMatrix outlierMatrix(const Program &program, const Instruction &linear,
                                    std::span<const uint8_t> weights);

/// R32 of what the tensors hold: rows start at 0, never fall and end at E; the columns of a row
/// ascend and exist. Reads rows and columns whole. The program must have passed verifyProgram().
Status verifyOutlierIndices(const Program &program, std::span<const uint8_t> weights);

struct OutlierCount {
  int64_t linears = 0, weights = 0, bytes = 0;
};
/// Of the whole program, each stored tensor once.
OutlierCount countOutliers(const Program &program);

} // namespace qrt

#endif // QRT_FORMAT_SPARSEOUTLIERS_H
