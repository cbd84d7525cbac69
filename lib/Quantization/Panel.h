//===- Panel.h - Codes of a few rows while they are being found -------------------------------===//
// A panel is up to panelRowsFor() rows of one weight, padded to whole lane groups of 8. Columns are
// in the weight's own order; codes are floats.
#ifndef QOPT_LIB_QUANTIZATION_PANEL_H
#define QOPT_LIB_QUANTIZATION_PANEL_H

#include "LaneKernels.h"
#include "RowLoss.h"

#include "qopt/Quantization/GPTQ.h"

namespace qopt::quantization {

struct Panel {
  Panel(int64_t rows, int64_t k, const GroupFormat &format);

  int64_t rows, padded, k, groups, groupSize; ///< groupSize: k for one group per row
  std::vector<float> codes;                   ///< [padded, k]
  std::vector<float> scales, zeros;           ///< [padded, groups]

  float dequantized(int64_t row, int64_t column) const {
    const int64_t at = row * groups + column / groupSize;
    return (codes[row * k + column] - zeros[at]) * scales[at];
  }
  /// e [padded, k] = target - x'.
  void residual(const float *target, float *e) const;
  /// Of one row, e [k].
  void residualRow(const float *target, int64_t row, float *e) const;
  void setScales(int64_t firstRow, int64_t group, const LaneScales &from);
  LaneScales laneScales(int64_t firstRow, int64_t group) const;
  void copyRow(const Panel &from, int64_t row);
  /// Writes row into matrix row `at`.
  void store(int64_t row, QuantizedMatrix &matrix, int64_t at) const;
  void load(int64_t row, const QuantizedMatrix &matrix, int64_t at);
};

/// Columns [first, last) of positions that belong to one group; `start` where the group begins.
struct Segment {
  int64_t first, last, group;
  bool start;
};

inline constexpr int64_t positionsPerBlock = 128; ///< most columns of a block

/// Columns that are rounded together: whole segments, or a piece of a longer one.
struct Block {
  int64_t first, last;
  std::vector<Segment> segments;
};

/// Cuts positions 0 ... k into blocks; order: position -> column (empty: identity).
std::vector<Block> planBlocks(std::span<const int32_t> order, int64_t k, int64_t groupSize);

/// out [count][8] = 8 rows of x [., ld] from column `first`.
void toLanes(const float *x, int64_t ld, int64_t count, float *out);
void fromLanes(const float *in, int64_t count, float *x, int64_t ld);

/// Steps 1 to 3 of GPTQ.h for the target [padded, k] of a panel. damped [padded]: the damped
/// objective of the rows, which the error feedback sums up as it goes.
void roundPanel(const float *target, const PreparedHessian &hessian, const GptqOptions &options,
                Panel &panel, double *damped);

/// Step 4; keeps a row's change only where the damped objective falls below damped [rows], which is
/// that of the panel. loss [rows]: on return that of the result, undamped. False if it is damped
/// plus what steps changed, which is off by the rounding of the factor, a few 1e-4 of it at most.
bool refinePanel(const float *target, const PreparedHessian &hessian, const GptqOptions &options,
                 Panel &panel, const double *damped, double *loss);

/// |e|^2 of one row.
double squaredNorm(const float *e, int64_t k);

/// All scales of a row at once: new ones for the panel's codes; th [padded, k] = target H.
void refitScales(const float *th, const float *target, const PreparedHessian &hessian,
                 Panel &panel);

} // namespace qopt::quantization

#endif // QOPT_LIB_QUANTIZATION_PANEL_H
