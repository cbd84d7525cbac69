//===- ImportGroupQueryAttention.cpp - com.microsoft GroupQueryAttention ----------------------===//
// Taken apart: split of packed qkv, norms of q and k, rotation at positions past .. past + S - 1,
// concatenation with the past, a boolean mask (causal, window, valid length of each row), and sdpa.
//
// The operator assumes right padding and overwrites it in its cache when it goes on; here the past
// is a plain prefix, so rows of one batch must have equal pasts. One sequence and any prompt batch
// are exact.
#include "Heads.h"
#include "OpTable.h"

#include <cmath>

using namespace mlir;

namespace qopt {

namespace {
struct Sizes {
  int64_t heads, kvHeads, headSize;
};
} // namespace

static Outcome readSizes(Node &node, Sizes &sizes) {
  sizes = {node.integer("num_heads", 0), node.integer("kv_num_heads", 0), dynamicDim};
  if (sizes.heads < 1 || sizes.kvHeads < 1 || sizes.heads > 65536 || sizes.kvHeads > 65536)
    return node.invalid("num_heads or kv_num_heads is missing");
  int64_t width = dimOf(node.in(0), 2);
  int64_t parts = node.in(1) ? sizes.heads : sizes.heads + 2 * sizes.kvHeads;
  if (width != dynamicDim && width % parts == 0)
    sizes.headSize = width / parts;
  else if (dimOf(node.in(3), 3) != dynamicDim)
    sizes.headSize = dimOf(node.in(3), 3);
  else if (node.in(7) && dimOf(node.in(7), 1) != dynamicDim)
    sizes.headSize = 2 * dimOf(node.in(7), 1);
  if (sizes.headSize == dynamicDim || sizes.headSize < 1)
    return node.unsupported("an unknown head size");
  return Outcome::Ok;
}

static Outcome checkFeatures(Node &node) {
  for (int i : {11, 12, 13})
    if (node.in(i))
      return node.unsupported(i == 11 ? "head_sink" : "a quantized cache");
  if (node.integer("smooth_softmax", 0) > 0 || node.integer("qk_output", 0) > 0 || node.wants(3))
    return node.unsupported("smooth_softmax or qk_output");
  if (node.text("k_quant_type", "NONE") != "NONE" || node.text("v_quant_type", "NONE") != "NONE")
    return node.unsupported("a quantized cache");
  if (node.integer("causal", 1) != 1)
    return node.unsupported("causal = 0");
  if (rankOf(node.in(0)) != 3)
    return node.unsupported("a query of rank " + std::to_string(rankOf(node.in(0))));
  if (bool(node.in(3)) != bool(node.in(4)) || bool(node.in(1)) != bool(node.in(2)))
    return node.invalid("key and value must come together");
  return Outcome::Ok;
}

/// True where key j is visible to query i: j <= i + past, j > i + past - window, j <= seqlens_k.
static Value visibility(Node &node, Value q, Value k, Value past) {
  Emitter &e = node.emit;
  Value queries = e.unsqueeze(e.add(e.countTo(e.dim(q, 2)), past), {1}); // [S, 1]
  Value keys = e.unsqueeze(e.countTo(e.dim(k, 2)), {0});                 // [1, T]
  Value visible = e.compare("less_equal", keys, queries);
  if (int64_t window = node.integer("local_window_size", -1); window > 0)
    visible = both(e, visible, e.compare("greater", keys, e.sub(queries, e.intScalar(window))));
  Value last = e.unsqueeze(e.reshape(e.toInt64(node.in(5)), {-1}), {1, 2, 3}); // [B, 1, 1, 1]
  return both(e, e.unsqueeze(visible, {0, 1}),
              e.compare("less_equal", e.unsqueeze(keys, {0, 1}), last));
}

static Outcome importGroupQueryAttention(Node &node) {
  Emitter &e = node.emit;
  Sizes sizes;
  if (Outcome o = checkFeatures(node); o != Outcome::Ok)
    return o;
  if (Outcome o = readSizes(node, sizes); o != Outcome::Ok)
    return o;
  Value q = node.in(0), k = node.in(1), v = node.in(2);
  if (!k) {
    int64_t kvWidth = sizes.kvHeads * sizes.headSize;
    SmallVector<Value> parts = e.split(q, 2, {sizes.heads * sizes.headSize, kvWidth, kvWidth});
    q = parts[0], k = parts[1], v = parts[2];
  }
  q = e.transpose(e.reshape(q, {0, 0, sizes.heads, sizes.headSize}), {0, 2, 1, 3});
  k = e.transpose(e.reshape(k, {0, 0, sizes.kvHeads, sizes.headSize}), {0, 2, 1, 3});
  v = e.transpose(e.reshape(v, {0, 0, sizes.kvHeads, sizes.headSize}), {0, 2, 1, 3});
  double normEpsilon = node.real("qk_norm_epsilon", 1e-6f);
  if (node.in(14))
    q = e.rmsNorm(q, node.in(14), normEpsilon);
  if (node.in(15))
    k = e.rmsNorm(k, node.in(15), normEpsilon);
  Value past = node.in(3) ? e.dim(node.in(3), 2) : e.intVector({0});
  if (node.integer("do_rotary", 0)) {
    if (!node.in(7) || !node.in(8))
      return node.invalid("do_rotary needs cos_cache and sin_cache");
    Value positions = node.in(9);
    if (!positions)
      positions = e.unsqueeze(e.add(e.countTo(e.dim(q, 2)), past), {0});
    Value cos = e.gather(node.in(7), positions, 0), sin = e.gather(node.in(8), positions, 0);
    bool interleaved = node.integer("rotary_interleaved", 0) != 0;
    q = e.rotary(q, cos, sin, interleaved);
    k = e.rotary(k, cos, sin, interleaved);
  }
  k = appendPast(e, node.in(3), k);
  v = appendPast(e, node.in(4), v);
  Value mask = visibility(node, q, k, past);
  if (Value bias = node.in(10))
    mask = e.where(mask, bias, e.scalar(-INFINITY, elementOf(bias)));
  double scale = node.real("scale", 0.0);
  if (scale == 0.0)
    scale = 1.0 / std::sqrt(double(sizes.headSize));
  node.set(0, mergeHeads(e, e.sdpa(q, k, v, mask, scale, node.real("softcap", 0.0), false)));
  node.set(1, k);
  node.set(2, v);
  return Outcome::Ok;
}

ArrayRef<OpRow> groupQueryAttentionOps() {
  static const OpRow rows[] = {
      {"com.microsoft", "GroupQueryAttention", 1, 1, 16, 4, importGroupQueryAttention}};
  return rows;
}

} // namespace qopt
