//===- ImportRotary.cpp - RotaryEmbedding of both domains -------------------------------------===//
// The caches are gathered by position first, so that qir.rotary_embedding sees one row per token.
#include "Heads.h"
#include "OpTable.h"

using namespace mlir;

namespace qopt {

/// `heads` 0: x must be 4-D, or its head size is that of the caches.
static Outcome rotate(Node &node, Value x, Value cos, Value sin, int64_t heads) {
  Emitter &e = node.emit;
  bool interleaved = node.integer("interleaved", 0) != 0;
  int64_t rank = rankOf(x), rotated = node.integer("rotary_embedding_dim", 0);
  if (rank != 3 && rank != 4)
    return node.unsupported("an input of rank " + std::to_string(rank));
  if (rotated > 0 && dimOf(cos, -1) != dynamicDim && dimOf(cos, -1) * 2 != rotated)
    return node.invalid("rotary_embedding_dim does not fit the caches");
  if (rank == 4)
    return node.done(e.rotary(x, cos, sin, interleaved));
  if (heads == 0) {
    int64_t size = dimOf(cos, -1), width = dimOf(x, 2);
    if (size == dynamicDim || size < 1 || width == dynamicDim || width % (2 * size))
      return node.unsupported("no num_heads and an unknown head size");
    heads = width / (2 * size);
  }
  if (heads < 0)
    return node.invalid("num_heads is negative");
  return node.done(mergeHeads(e, e.rotary(splitHeads(e, x, heads), cos, sin, interleaved)));
}

/// (X, cos, sin, position_ids?): without positions the caches are [B, S, R / 2] already.
static Outcome importRotary(Node &node) {
  Value cos = node.in(1), sin = node.in(2);
  if (node.in(3)) {
    cos = node.emit.gather(cos, node.in(3), 0);
    sin = node.emit.gather(sin, node.in(3), 0);
  }
  if (rankOf(node.in(0)) == 3 && node.integer("num_heads", 0) == 0)
    return node.invalid("a 3-D input needs num_heads");
  return rotate(node, node.in(0), cos, sin, node.integer("num_heads", 0));
}

/// (X, position_ids, cos, sin): position_ids is [B, S], or [1], the position of the first token.
static Outcome importContribRotary(Node &node) {
  Emitter &e = node.emit;
  if (node.real("scale", 1.0) != 1.0 || node.integer("is_packed_batching", 0))
    return node.unsupported("scale or is_packed_batching");
  Value positions = node.in(1);
  if (rankOf(positions) == 1) {
    int64_t axis = rankOf(node.in(0)) == 4 ? 2 : 1;
    positions = e.unsqueeze(e.add(e.toInt64(positions), e.countTo(e.dim(node.in(0), axis))), {0});
  } else if (rankOf(positions) != 2) {
    return node.unsupported("position_ids of rank " + std::to_string(rankOf(positions)));
  }
  return rotate(node, node.in(0), e.gather(node.in(2), positions, 0),
                e.gather(node.in(3), positions, 0), node.integer("num_heads", 0));
}

ArrayRef<OpRow> rotaryOps() {
  static const OpRow rows[] = {
      {"", "RotaryEmbedding", 23, 3, 4, 1, importRotary},
      {"com.microsoft", "RotaryEmbedding", 1, 4, 4, 1, importContribRotary},
  };
  return rows;
}

} // namespace qopt
