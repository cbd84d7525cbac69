//===- TokenMajorRotation.cpp - A rotation by position that is one op ------------------------===//
#include "TokenMajorBuilder.h"

using namespace mlir;

namespace qopt::qir::raise {

/// A rotation given as one op: the same map that its parts would have made.
LogicalResult TokenMajorBuilder::convertRotation(RotaryEmbeddingOp op, const TokenValue &x) {
  if (x.kind != Kind::Features || x.layout.rank() != 4)
    return fail(op, "rotates something that is not [batch, heads, tokens, features]");
  int64_t headDim = x.layout.featureSize(3);
  const qrt::tensor::Tensor *table = runs_.shapeOnly(0, op.getCos());
  if (!table || table->shape.size() != 3 || 2 * table->shape[2] > headDim)
    return fail(op, "has cosines of another shape than [batch, tokens, features / 2]");
  int64_t half = table->shape[2];
  // One dimension of features against the tables: [batch, tokens, half].
  TokenValue probe;
  probe.layout.dims = {DimAtoms{Atom{AtomKind::Batch}}, DimAtoms{Atom{AtomKind::Fresh}},
                       DimAtoms{Atom::feature(half, 1)}};
  auto cosines = featureTables(op, probe, op.getCos());
  auto sines = featureTables(op, probe, op.getSin());
  if (failed(cosines) || failed(sines))
    return failure();
  std::vector<int64_t> offsets = x.layout.offsets();
  auto map = std::make_shared<FeatureMap>();
  auto rowAt = [&](int64_t index) {
    return x.map ? x.map->rows[offsets[index]] : Row{Term{offsets[index]}};
  };
  for (int64_t index = 0; index < static_cast<int64_t>(offsets.size()); ++index) {
    int64_t d = index % headDim, head = index - d;
    if (d >= 2 * half) {
      map->rows.push_back(rowAt(index));
      continue;
    }
    bool interleaved = op.getInterleaved() != 0;
    int64_t pair = interleaved ? d / 2 : d % half;
    bool low = interleaved ? d % 2 == 0 : d < half;
    int64_t partner = interleaved ? (d ^ 1) : (low ? d + half : d - half);
    Row row;
    for (Term term : rowAt(index)) {
      term.table = tables_.product(term.table, (*cosines)[pair]);
      row.push_back(term);
    }
    for (Term term : rowAt(head + partner)) {
      term.table = tables_.product(term.table, (*sines)[pair]);
      term.factor *= low ? -1 : 1;
      row.push_back(term);
    }
    map->rows.push_back(std::move(row));
  }
  TokenValue y = x;
  y.layout.renumber();
  y.map = std::move(map);
  set(op.getY(), std::move(y));
  return success();
}

} // namespace qopt::qir::raise
