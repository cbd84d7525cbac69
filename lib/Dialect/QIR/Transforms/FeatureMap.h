//===- FeatureMap.h - Position-dependent linear maps over features ----------------------------===//
// Rotary embeddings are written as slices, negations, concatenations, strided stacks and products
// with cosines and sines, in any order. All of these are linear in the features of one token. While
// a value is only moved around or rotated, the converter keeps it as a sparse map over the features
// of the last computed tensor, with coefficients sampled at the probed positions, and looks at the
// map only when something else consumes the value: an index selection is a few column copies, a
// rotation becomes qir.rope (see fitRotation), anything else is refused.
#ifndef QOPT_LIB_DIALECT_QIR_TRANSFORMS_FEATUREMAP_H
#define QOPT_LIB_DIALECT_QIR_TRANSFORMS_FEATUREMAP_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace qopt::qir::raise {

/// One summand of a feature: factor * (table value at the token's position) * source feature.
struct Term {
  int64_t source = 0;
  double factor = 1;
  int32_t table = -1; // -1: the same at every position
};
using Row = llvm::SmallVector<Term, 2>;

struct FeatureMap {
  std::vector<Row> rows;

  bool dependsOnPosition() const;
  /// The source of every row, if every row is one source times one factor common to all rows.
  std::optional<std::vector<int64_t>> selection(double &factor) const;
};

/// Coefficients sampled at the probed positions.
struct Tables {
  std::vector<int64_t> positions;         // ascending within a run of the graph
  std::vector<std::vector<float>> values; // one value per position
  std::vector<double> tolerance;          // rounding of the element type the graph computed it in

  int32_t add(std::vector<float> value, double rounding);
  /// The product of two tables; -1 stands for the constant 1.
  int32_t product(int32_t a, int32_t b);
};

/// A rotation of `width / headDim` heads: features `inputs[g]` of the source are rotated into g.
struct Rotation {
  std::vector<int64_t> inputs;
  int64_t headDim = 0;
  bool interleaved = false;
  double scaling = 1;
  std::vector<float> inverseFrequencies; // rotated features / 2
};

/// Recognises a rotation whose angle is linear in the position. `why` says what did not fit.
std::optional<Rotation> fitRotation(llvm::ArrayRef<Row> rows, const Tables &tables,
                                    std::string &why);

} // namespace qopt::qir::raise

#endif // QOPT_LIB_DIALECT_QIR_TRANSFORMS_FEATUREMAP_H
