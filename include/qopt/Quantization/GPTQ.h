//===- GPTQ.h - Rounding with error feedback under the Hessian --------------------------------===//
// Finds codes and scales of W [n, k] that make tr((W - Q) H (W - Q)^T) small:
//
//  1. GPTQ (arXiv 2210.17323, algorithm 1): columns are rounded one after another; the error of
//     each is pushed onto the columns after it through U, the upper Cholesky factor of the inverse
//     damped Hessian, (H + d I)^-1 = U^T U. Here H + d I = R R^T with R = U^-1 upper triangular, so
//     the objective of a row of errors e is |e R|^2, and what errors E of columns before a block B
//     ask of it is E R_B U_BB: only the diagonal blocks of R are ever inverted, and each block
//     is updated once, when it is reached.
//  2. Order::GroupAware (GPTQModel's "GAR"): groups by falling largest diagonal of H, columns
//     inside a group likewise, so that no index is needed at run time. Order::ActOrder is the
//     paper's descending diagonal over all columns; its scales are fixed before any update
//     ("static groups"), which keeps the groups of the stored layout.
//  3. ScaleSearch::Cholesky: when a group is reached, its scale (and zero point) is the one of
//     `clipRatios` shrunken ranges with the least error of the *updated* weights, each column
//     weighted by 1/U_jj^2, which is what an error in that column costs.
//  4. Refinement, `rounds` times, block of 128 columns after block, `descentPasses` times in each:
//     (a) scales become the best ones for their codes and all else (of groups longer than a block:
//     those of a row at once), (b) coordinate descent over the codes (QuantEase, arXiv 2309.01885,
//     section 3). A row keeps the result only if its damped objective has fallen.
//
// A row that ends above round to nearest in the (undamped) objective takes the codes of round to
// nearest: the result is never worse, row by row. Columns whose diagonal is 0 (never active) are
// rounded plainly. Arithmetic is f32; rows are independent, so results do
// not depend on the number of threads.
#ifndef QOPT_QUANTIZATION_GPTQ_H
#define QOPT_QUANTIZATION_GPTQ_H

#include "qopt/Quantization/QuantizedMatrix.h"

#include "qrt/Status.h"

namespace qopt::quantization {

enum class GptqOrder { None, GroupAware, ActOrder };

/// What weighs the columns when a scale is searched.
enum class ScaleSearch {
  MinMax,   ///< no search: the full range
  Plain,    ///< squared error of the weights
  Diagonal, ///< weighted by diag(H)
  Cholesky, ///< weighted by 1/U_jj^2 (see 3. above)
};

struct GptqOptions {
  GroupFormat format; ///< searchScale is ignored: `search` decides
  GptqOrder order = GptqOrder::GroupAware;
  ScaleSearch search = ScaleSearch::Cholesky;
  bool staticGroups = false; ///< scales of all groups from the weights before any update
  int clipRatios = 24;       ///< ranges tried: 1 - 0.55 i / clipRatios of the full one
  double damping = 0.01;     ///< times the mean of the diagonal; grows when Cholesky fails
  int rounds = 4;            ///< of refit and descent; 0: plain GPTQ
  bool refitScales = true;
  int descentPasses = 2; ///< 0: no descent
  int workers = 4;       ///< rows are cut into a multiple of so many parts; the result is the same
};

/// A Hessian made ready once for every linear that shares its input (q/k/v, gate/up).
struct PreparedHessian {
  int64_t k = 0;
  std::vector<float> h; ///< [k, k], dead diagonals set to the mean, undamped
  std::vector<float> r; ///< [k, k] upper, 0 below, H + damping = R R^T in the order of `order`
  std::vector<float> u; ///< [k, 128] U_BB of the blocks of positions that are rounded together
  std::vector<int32_t> order; ///< position -> column
  int64_t groupSize = 0;      ///< the order keeps groups of this size together
  double damping = 0;         ///< what was added to the diagonal, after growing
  int64_t deadColumns = 0;
  int attempts = 1; ///< Cholesky factorisations until one succeeded
};

/// Takes h [k, k] (moved in). InvalidArgument for a wrong size or elements that are not finite;
/// BadCalibration if no damping up to the mean of the diagonal itself makes it positive definite.
qrt::Result<PreparedHessian> prepareHessian(std::vector<float> h, int64_t k,
                                            const GptqOptions &options,
                                            const ParallelFor &parallel);

struct GptqResult {
  QuantizedMatrix matrix;
  double lossRtn = 0;    ///< tr((T - Q) H (T - Q)^T) of round to nearest of w, T the target
  double lossGptq = 0;   ///< after steps 1 to 3
  double loss = 0;       ///< of the result; <= lossRtn
  int64_t rowsByRtn = 0; ///< rows where round to nearest won
};

/// Quantizes w [n, k]. `target` [n, k] (empty: w) is what the output should be: the corrected
/// weights of TargetCorrection.h, or weights after a clip. The prepared Hessian must come from
/// options with the same order, group size and damping. InvalidArgument for sizes that do not
/// match, or weights that are not finite (named by row and column).
qrt::Result<GptqResult> gptq(std::span<const float> w, int64_t n, const PreparedHessian &hessian,
                             const GptqOptions &options, const ParallelFor &parallel,
                             std::span<const float> target = {});

} // namespace qopt::quantization

#endif // QOPT_QUANTIZATION_GPTQ_H
