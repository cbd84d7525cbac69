//===- ImportContribAttention.cpp - com.microsoft MultiHeadAttention and Attention ------------===//
// MultiHeadAttention takes q, k, v as [B, S, N * D] (k and v also as heads); Attention multiplies
// by packed weights first and keeps k and v stacked in one cache [2, B, N, P, D].
#include "Heads.h"
#include "OpTable.h"

#include <cmath>

using namespace mlir;

namespace qopt {

/// 1 = keep, 0 = ignore: [B, T] -> bool [B, 1, 1, T]; 3-D [B, S, T] -> [B, 1, S, T].
static Outcome paddingMask(Node &node, Value raw, Value &keep) {
  Emitter &e = node.emit;
  if (rankOf(raw) != 2 && rankOf(raw) != 3)
    return node.unsupported("a mask of rank " + std::to_string(rankOf(raw)));
  keep = e.cast(raw, e.builder.getI1Type());
  keep = rankOf(raw) == 2 ? e.unsqueeze(keep, {1, 2}) : e.unsqueeze(keep, {1});
  return Outcome::Ok;
}

static Outcome finish(Node &node, Value q, Value k, Value v, Value keep, Value bias) {
  Emitter &e = node.emit;
  if (keep && bias)
    bias = e.where(keep, bias, e.scalar(-INFINITY, elementOf(bias)));
  double scale = node.real("scale", 0.0);
  if (scale == 0.0) {
    if (dimOf(q, 3) == dynamicDim || dimOf(q, 3) < 1)
      return node.unsupported("no scale and an unknown head size");
    scale = 1.0 / std::sqrt(double(dimOf(q, 3)));
  }
  Value y = e.sdpa(q, k, v, bias ? bias : keep, scale, 0.0, node.integer("unidirectional", 0));
  return node.done(mergeHeads(e, y));
}

/// (q, k, v, bias?, key_padding_mask?, attention_bias?, past_key?, past_value?).
static Outcome importMultiHeadAttention(Node &node) {
  Emitter &e = node.emit;
  int64_t heads = node.integer("num_heads", 0);
  if (heads < 1 || !node.in(1) || !node.in(2) || rankOf(node.in(0)) != 3 || node.wants(3) ||
      node.in(8) || node.in(9))
    return node.unsupported("packed inputs, a cache indirection or the qk output");
  if (bool(node.in(6)) != bool(node.in(7)))
    return node.invalid("past_key and past_value must come together");
  SmallVector<Value, 3> parts{node.in(0), node.in(1), node.in(2)};
  if (node.in(3)) {
    int64_t width = dimOf(parts[0], 2), valueWidth = dimOf(parts[2], 2);
    if (width == dynamicDim || valueWidth == dynamicDim || rankOf(parts[1]) != 3)
      return node.unsupported("a bias and inputs of unknown width");
    SmallVector<Value> biases = e.split(node.in(3), 0, {width, width, valueWidth});
    for (int i = 0; i < 3; ++i)
      parts[i] = e.add(parts[i], biases[i]);
  }
  for (Value &part : parts)
    if (rankOf(part) == 3)
      part = splitHeads(e, part, heads);
    else if (rankOf(part) != 4)
      return node.unsupported("an input of rank " + std::to_string(rankOf(part)));
  Value keep, k = appendPast(e, node.in(6), parts[1]), v = appendPast(e, node.in(7), parts[2]);
  if (node.in(4))
    if (Outcome o = paddingMask(node, node.in(4), keep); o != Outcome::Ok)
      return o;
  node.set(1, k);
  node.set(2, v);
  return finish(node, parts[0], k, v, keep, node.in(5));
}

/// (x, weights [H, 3 H], bias?, mask?, past [2, B, N, P, D]?, attention_bias?).
static Outcome importContribAttention(Node &node) {
  Emitter &e = node.emit;
  int64_t heads = node.integer("num_heads", 0), width = dimOf(node.in(1), 1);
  if (node.integer("do_rotary", 0) || node.in(6) || node.integers("qkv_hidden_sizes"))
    return node.unsupported("do_rotary, past_sequence_length or qkv_hidden_sizes");
  if (heads < 1 || width == dynamicDim || width % 3)
    return node.invalid("num_heads or the width of the weights");
  Value packed = e.matmul(node.in(0), node.in(1));
  if (node.in(2))
    packed = e.add(packed, node.in(2));
  SmallVector<Value> parts = e.split(packed, 2, {width / 3, width / 3, width / 3});
  for (Value &part : parts)
    part = splitHeads(e, part, heads);
  Value k = parts[1], v = parts[2], keep;
  if (Value past = node.in(4)) {
    k = appendPast(e, e.gather(past, e.intScalar(0), 0), k);
    v = appendPast(e, e.gather(past, e.intScalar(1), 0), v);
  }
  if (node.in(3))
    if (Outcome o = paddingMask(node, node.in(3), keep); o != Outcome::Ok)
      return o;
  if (node.wants(1))
    node.set(1, e.concat({e.unsqueeze(k, {0}), e.unsqueeze(v, {0})}, 0));
  return finish(node, parts[0], k, v, keep, node.in(5));
}

ArrayRef<OpRow> contribAttentionOps() {
  static const OpRow rows[] = {
      {"com.microsoft", "MultiHeadAttention", 1, 1, 10, 4, importMultiHeadAttention},
      {"com.microsoft", "Attention", 1, 2, 7, 2, importContribAttention},
  };
  return rows;
}

} // namespace qopt
