//===- ForwardAttention.cpp - Rotation by position and attention on the f32 kernels ----------===//
#include "ForwardBinder.h"

#include "kernels/cpu/attention/attention.h"
#include "kernels/cpu/rope/rope.h"

#include <algorithm>

using namespace mlir;
using namespace qrt::kernels;
using qrt::Status;

namespace qopt::calibration {

BoundOp ForwardBinder::bindRope(qir::RopeOp op) {
  auto frequencies = std::make_shared<std::vector<float>>(constantFloats(op.getInvFreq()));
  if (in(0) < 0 || in(1) != positionsSlot || frequencies->empty())
    return refuse("needs an activation, positions and constant frequencies");
  const int from = in(0), to = out();
  const int64_t features = width(to), headDim = op.getHeadDim();
  const bool interleaved = op.getInterleaved() != 0;
  const auto scaling = static_cast<float>(op.getScaling().convertToDouble());
  return [=](Chunk &chunk) {
    const RopeTables::Table &table = chunk.ropes.get(chunk.pool, *frequencies, scaling);
    RopeArgs args = {};
    args.x = chunk.values[to];
    if (chunk.values[from] != args.x)
      std::copy_n(chunk.values[from], chunk.tokens * features, args.x);
    args.stride = features;
    args.tokens = chunk.tokens;
    args.heads = features / headDim;
    args.headDim = headDim;
    args.rotaryDim = 2 * static_cast<int64_t>(frequencies->size());
    args.interleaved = interleaved;
    args.cos = table.cos.data();
    args.sin = table.sin.data();
    rope(chunk.pool, args);
    return Status::ok();
  };
}

BoundOp ForwardBinder::bindAttention(qir::AttentionOp op) {
  if (!activations({0, 1, 2}))
    return refuse("of something else than activations");
  AttentionArgs args;
  args.heads = op.getNumHeads();
  args.kvHeads = op.getKvHeads();
  args.headDim = op.getHeadDim();
  args.valueDim = op.getValueDim();
  args.scale = static_cast<float>(op.getScale().convertToDouble());
  args.softcap = static_cast<float>(op.getSoftcap().convertToDouble());
  args.window = op.getWindow();
  const int q = in(0), k = in(1), v = in(2), to = out();
  return [=](Chunk &chunk) -> Status {
    std::vector<int64_t> lengths;
    for (const TokenTable::Sequence &sequence : chunk.sequences)
      lengths.push_back(sequence.tokens);
    QRT_RETURN_IF_ERROR(chunk.pages.prepare(lengths, args.kvHeads, args.headDim, args.valueDim));
    std::vector<KvAppendSequence> appends;
    std::vector<AttentionSequence> sequences;
    for (size_t i = 0; i < chunk.sequences.size(); ++i) {
      const KvPages::Sequence &pages = chunk.pages.sequence(i);
      const auto [first, tokens] = chunk.sequences[i];
      appends.push_back({first, tokens, 0, pages.keys.data(), pages.values.data()});
      KvView view = {pages.keys.data(), pages.values.data(), tokens};
      sequences.push_back({first, tokens, 0, view});
    }
    KvAppendArgs append;
    append.k = chunk.values[k];
    append.kStride = args.kvHeads * args.headDim;
    append.v = chunk.values[v];
    append.vStride = args.kvHeads * args.valueDim;
    append.kvHeads = args.kvHeads;
    append.headDim = args.headDim;
    append.valueDim = args.valueDim;
    append.sequences = appends;
    QRT_RETURN_IF_ERROR(kvAppend(chunk.pool, append));
    AttentionArgs call = args;
    call.dst = chunk.values[to];
    call.dstStride = args.heads * args.valueDim;
    call.q = chunk.values[q];
    call.qStride = args.heads * args.headDim;
    call.sequences = sequences;
    return attention(chunk.pool, call, chunk.workspace);
  };
}

} // namespace qopt::calibration
