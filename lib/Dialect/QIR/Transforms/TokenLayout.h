//===- TokenLayout.h - How a batch-major tensor lies over [tokens, features] ------------------===//
// Exporters write one activation in many shapes: [B,S,F], [B*S,F], [B,S,H,D], [B,H,S,D], [B*H,S,D],
// keys as [B,H,D,T]. All are views of one token-major tensor [T,F]. A layout names, for every
// dimension, the factors ("atoms") it is made of: the batch, the new tokens, the cached tokens, all
// keys, or a run of features with its stride in F. Reshape, transpose, unsqueeze and repetition
// then only rewrite layouts, so no exporter's particular sequence of them matters.
//
// Sizes of dynamic dimensions come from evaluating the graph at several sizings with distinct prime
// sizes: a reshape is accepted only if the factors agree with the evaluated shape in every sizing.
#ifndef QOPT_LIB_DIALECT_QIR_TRANSFORMS_TOKENLAYOUT_H
#define QOPT_LIB_DIALECT_QIR_TRANSFORMS_TOKENLAYOUT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace qopt::qir::raise {

/// One size of the dynamic dimensions: sequences, new tokens, cached tokens.
struct Sizing {
  int64_t batch = 1, fresh = 1, past = 0;
};

enum class AtomKind : uint8_t { Batch, Fresh, Past, Keys, Feature };

/// One factor of a dimension. Only features have a size and a stride of their own; stride 0 is a
/// repetition (keys repeated for grouped heads).
struct Atom {
  AtomKind kind = AtomKind::Feature;
  int64_t size = 1, stride = 0;

  static Atom feature(int64_t size, int64_t stride) { return {AtomKind::Feature, size, stride}; }
  bool isFeature() const { return kind == AtomKind::Feature; }
  int64_t sizeAt(const Sizing &sizing) const;
  bool operator==(const Atom &) const = default;
};

using DimAtoms = llvm::SmallVector<Atom, 2>; // outermost first; empty = size 1
using Shape = llvm::SmallVector<int64_t, 5>;

struct Layout {
  llvm::SmallVector<DimAtoms, 4> dims;

  size_t rank() const { return dims.size(); }
  int64_t sizeAt(size_t dim, const Sizing &sizing) const;
  bool hasShape(llvm::ArrayRef<int64_t> shape, const Sizing &sizing) const;
  /// Product of the feature atoms of a dimension.
  int64_t featureSize(size_t dim) const;
  bool onlyFeatures(size_t dim) const;
  bool isExactly(size_t dim, AtomKind kind) const;
  /// Feature offsets of the dimension's index 0, 1, ... (its feature atoms in row-major order).
  std::vector<int64_t> offsets(size_t dim) const;
  /// Feature offsets of all dimensions' features in row-major order.
  std::vector<int64_t> offsets() const;
  /// Merges neighbouring feature atoms and drops those of size 1.
  void normalize();
  /// Replaces the strides so that the features, in row-major order, are 0, 1, 2, ...; repeated
  /// atoms (stride 0) stay repeated.
  void renumber();
  /// A text that is equal for equal layouts: the key of memo tables.
  std::string key() const;
};

/// The layout after a reshape to the shapes seen in `sizings`, or nothing if the factors cannot be
/// regrouped that way.
std::optional<Layout> reshapeLayout(const Layout &layout, llvm::ArrayRef<Sizing> sizings,
                                    llvm::ArrayRef<Shape> shapes);

/// The layout after broadcasting to `shapes`: leading dimensions and constant repetitions of
/// dimensions of size 1. Nothing if a dynamic size would be repeated.
std::optional<Layout> expandLayout(const Layout &layout, llvm::ArrayRef<Sizing> sizings,
                                   llvm::ArrayRef<Shape> shapes);

} // namespace qopt::qir::raise

#endif // QOPT_LIB_DIALECT_QIR_TRANSFORMS_TOKENLAYOUT_H
