//===- ImportAttention.cpp - Attention of the default domain ----------------------------------===//
// Causality: with a past the mask is aligned to the end (offset = past length), with
// nonpad_kv_seqlen to the valid length of each row, otherwise to the start, as the specification
// defines and ONNX Runtime computes.
#include "Heads.h"
#include "OpTable.h"

#include <cmath>

using namespace mlir;

namespace qopt {

static Outcome importAttention(Node &node) {
  Emitter &e = node.emit;
  Value q = node.in(0), k = node.in(1), v = node.in(2), mask = node.in(3);
  int64_t rank = rankOf(q);
  if (rank != 3 && rank != 4)
    return node.unsupported("a query of rank " + std::to_string(rank));
  if (node.wants(3))
    return node.unsupported("the qk_matmul_output result");
  for (const char *window : {"left_window_size", "right_window_size"})
    if (node.integer(window, -1) >= 0)
      return node.unsupported(window);
  if (rank == 3) {
    int64_t heads = node.integer("q_num_heads", 0), kvHeads = node.integer("kv_num_heads", 0);
    if (heads < 1 || kvHeads < 1 || rankOf(k) != 3 || rankOf(v) != 3)
      return node.invalid("3-D inputs need q_num_heads and kv_num_heads");
    q = splitHeads(e, q, heads);
    k = splitHeads(e, k, kvHeads);
    v = splitHeads(e, v, kvHeads);
  }
  bool hasPast = bool(node.in(4));
  if (hasPast != bool(node.in(5)))
    return node.invalid("past_key and past_value must come together");
  k = appendPast(e, node.in(4), k);
  v = appendPast(e, node.in(5), v);
  bool causal = node.integer("is_causal", 0) != 0;
  Value limit; // bool, broadcasts to [B, 1, Sq, Skv]
  if (Value valid = node.in(6)) {
    Value length = e.unsqueeze(e.toInt64(valid), {1, 2, 3});     // [B, 1, 1, 1]
    Value keys = e.unsqueeze(e.countTo(e.dim(k, 2)), {0, 1, 2}); // [1, 1, 1, Skv]
    limit = e.compare("less", keys, length);
    if (causal) {
      Value queries = e.unsqueeze(e.countTo(e.dim(q, 2)), {0, 1, 3}); // [1, 1, Sq, 1]
      Value offset = e.sub(length, e.unsqueeze(e.dim(q, 2), {0, 1, 2}));
      limit = both(e, limit, e.compare("less_equal", keys, e.add(queries, offset)));
    }
    causal = false;
  } else if (causal && !hasPast && (dimOf(q, 2) == dynamicDim || dimOf(q, 2) != dimOf(k, 2))) {
    Value keys = e.unsqueeze(e.countTo(e.dim(k, 2)), {0});
    Value queries = e.unsqueeze(e.countTo(e.dim(q, 2)), {1});
    limit = e.compare("less_equal", keys, queries);
    causal = false;
  }
  if (mask && dimOf(mask, -1) != dynamicDim && dimOf(k, 2) != dynamicDim && dimOf(mask, -1) != 1 &&
      dimOf(mask, -1) < dimOf(k, 2))
    return node.unsupported("a mask shorter than the keys");
  if (mask && limit) {
    if (elementOf(mask).isInteger(1))
      mask = both(e, mask, limit);
    else
      mask = e.where(limit, mask, e.scalar(-INFINITY, elementOf(mask)));
  } else if (limit) {
    mask = limit;
  }
  double scale = node.real("scale", 0.0);
  if (scale == 0.0) {
    if (dimOf(q, 3) == dynamicDim || dimOf(q, 3) < 1)
      return node.unsupported("no scale and an unknown head size");
    scale = 1.0 / std::sqrt(double(dimOf(q, 3)));
  }
  Value y = e.sdpa(q, k, v, mask, scale, node.real("softcap", 0.0), causal);
  node.set(0, rank == 3 ? mergeHeads(e, y) : y);
  node.set(1, k);
  node.set(2, v);
  return Outcome::Ok;
}

ArrayRef<OpRow> attentionOps() {
  static const OpRow rows[] = {{"", "Attention", 23, 3, 7, 4, importAttention}};
  return rows;
}

} // namespace qopt
