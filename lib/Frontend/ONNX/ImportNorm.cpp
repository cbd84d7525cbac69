//===- ImportNorm.cpp - Normalisations --------------------------------------------------------===//
// SimplifiedLayerNormalization occurs in the default domain too: ORT writes it there. The mean and
// deviation outputs are for training and are not computed.
#include "OpTable.h"

using namespace mlir;

namespace qopt {

/// Only the last axis is normalised by qir.rms_norm and qir.layer_norm.
static bool lastAxis(Node &node) {
  int64_t axis = node.integer("axis", -1), rank = rankOf(node.in(0));
  return axis == -1 || (rank > 0 && axis == rank - 1);
}

static double epsilonOf(Node &node, double otherwise) { return node.real("epsilon", otherwise); }

static Outcome importRmsNorm(Node &node) {
  if (!lastAxis(node))
    return node.unsupported("an axis that is not the last");
  Value y = node.emit.rmsNorm(node.in(0), node.in(1), epsilonOf(node, 1e-5f));
  return node.done(node.emit.cast(y, elementOf(node.in(1))));
}

static Outcome importLayerNorm(Node &node) {
  if (!lastAxis(node))
    return node.unsupported("an axis that is not the last");
  return node.done(node.emit.layerNorm(node.in(0), node.in(1), node.in(2), epsilonOf(node, 1e-5f)));
}

/// (x, skip, gamma, bias?) -> normed, mean, inv_std, sum.
static Outcome importSkipRms(Node &node) {
  Emitter &e = node.emit;
  Value sum = e.add(node.in(0), node.in(1));
  if (node.in(3))
    sum = e.add(sum, node.in(3));
  node.set(0, e.rmsNorm(sum, node.in(2), epsilonOf(node, 1e-5f)));
  node.set(3, sum);
  return Outcome::Ok;
}

/// (x, skip, gamma, beta?, bias?) -> normed, mean, inv_std, sum.
static Outcome importSkipLayer(Node &node) {
  Emitter &e = node.emit;
  Value sum = e.add(node.in(0), node.in(1));
  if (node.in(4))
    sum = e.add(sum, node.in(4));
  node.set(0, e.layerNorm(sum, node.in(2), node.in(3), epsilonOf(node, 1e-12f)));
  node.set(3, sum);
  return Outcome::Ok;
}

/// (ids, segments?, words, positions, segment table?, gamma, beta, mask?, position_ids?).
static Outcome importEmbedLayerNorm(Node &node) {
  Emitter &e = node.emit;
  Value ids = node.in(0);
  Value sum = e.gather(node.in(2), ids, 0);
  Value positions = node.in(8)
                        ? e.gather(node.in(3), node.in(8), 0)
                        : e.unsqueeze(e.gather(node.in(3), e.countTo(e.dim(ids, 1)), 0), {0});
  sum = e.add(sum, positions);
  if (node.in(1) && node.in(4))
    sum = e.add(sum, e.gather(node.in(4), node.in(1), 0));
  node.set(0, e.layerNorm(sum, node.in(5), node.in(6), epsilonOf(node, 1e-12f)));
  node.set(2, sum);
  return Outcome::Ok;
}

ArrayRef<OpRow> normOps() {
  static const OpRow rows[] = {
      {"", "RMSNormalization", 23, 2, 2, 1, importRmsNorm},
      {"", "SimplifiedLayerNormalization", 1, 2, 2, 2, importRmsNorm},
      {"com.microsoft", "SimplifiedLayerNormalization", 1, 2, 2, 2, importRmsNorm},
      {"", "LayerNormalization", 17, 2, 3, 3, importLayerNorm},
      {"com.microsoft", "SkipSimplifiedLayerNormalization", 1, 3, 4, 4, importSkipRms},
      {"com.microsoft", "SkipLayerNormalization", 1, 3, 5, 4, importSkipLayer},
      {"com.microsoft", "EmbedLayerNormalization", 1, 1, 9, 3, importEmbedLayerNorm},
  };
  return rows;
}

} // namespace qopt
