//===- BindAttention.cpp - Rotary embedding and paged attention ------------------------------===//
#include "Engine/Binding.h"
#include "kernels/cpu/attention/attention.h"
#include "kernels/cpu/rope/rope.h"

#include <cstring>

namespace qrt {

BoundInstruction Binder::bindRope(const Instruction &instruction) {
  BufferRef in = buffer(instruction.inputs[0]), out = buffer(instruction.outputs[0]);
  RopeTableSpec spec = {program.values[instruction.inputs[2]].tensorIndex,
                        vector(instruction.inputs[2]), vectorLength(instruction.inputs[2]),
                        static_cast<float>(instruction.getFloat("scaling", 1.0))};
  size_t table = 0;
  while (table < tables.size() &&
         (tables[table].tensorIndex != spec.tensorIndex || tables[table].scaling != spec.scaling))
    ++table;
  if (table == tables.size())
    tables.push_back(spec);
  kernels::RopeArgs args = {};
  args.headDim = instruction.getInt("head_dim");
  args.heads = in.width / args.headDim;
  args.rotaryDim = 2 * spec.half;
  args.interleaved = instruction.getInt("interleaved") != 0;
  return [=](Run &run) {
    kernels::RopeArgs call = args;
    call.x = out.data(run);
    call.stride = out.width;
    call.tokens = run.tokens;
    call.cos = run.ropeCos[table].data();
    call.sin = run.ropeSin[table].data();
    if (in.data(run) != call.x)
      std::memcpy(call.x, in.data(run), size_t(run.tokens * in.width) * sizeof(float));
    kernels::rope(run.pool, call);
    return Status::ok();
  };
}

BoundInstruction Binder::bindAttention(const Instruction &instruction) {
  BufferRef q = buffer(instruction.inputs[0]), k = buffer(instruction.inputs[1]),
            v = buffer(instruction.inputs[2]), out = buffer(instruction.outputs[0]);
  kernels::AttentionArgs args;
  args.heads = instruction.getInt("num_heads");
  args.kvHeads = instruction.getInt("kv_heads");
  args.headDim = instruction.getInt("head_dim");
  args.valueDim = instruction.getInt("value_dim");
  args.scale = static_cast<float>(instruction.getFloat("scale"));
  args.softcap = static_cast<float>(instruction.getFloat("softcap"));
  args.window = instruction.getInt("window");
  if (instruction.inputs.size() > 3 && instruction.inputs[3] >= 0)
    args.keyBalance = vector(instruction.inputs[3]);
  const float *balance = args.keyBalance;
  auto cache = static_cast<size_t>(instruction.getInt("cache"));
  return [=](Run &run) {
    std::vector<kernels::KvAppendSequence> appends;
    std::vector<kernels::AttentionSequence> sequences;
    for (const RunPart &part : run.parts) {
      const KvCache::Sequence &sequence = *part.sequence;
      void *const *keys = sequence.keyPages[cache].data();
      void *const *values = sequence.valuePages[cache].data();
      void *const *preciseKeys = sequence.preciseKeys[cache].data();
      void *const *preciseValues = sequence.preciseValues[cache].data();
      appends.push_back(
          {part.firstRow, part.tokens, part.position, keys, values, preciseKeys, preciseValues});
      kernels::KvView view = {
          keys,        values,        part.position + part.tokens, run.kv.keys, run.kv.values,
          preciseKeys, preciseValues, sequence.preciseFrom};
      sequences.push_back({part.firstRow, part.tokens, part.position, view});
    }
    kernels::KvAppendArgs append;
    append.k = k.data(run);
    append.kStride = k.width;
    append.v = v.data(run);
    append.vStride = v.width;
    append.kvHeads = args.kvHeads;
    append.headDim = args.headDim;
    append.valueDim = args.valueDim;
    append.keyType = run.kv.keys;
    append.valueType = run.kv.values;
    append.keyBalance = balance;
    append.sequences = appends;
    QRT_RETURN_IF_ERROR(kernels::kvAppend(run.pool, append));

    kernels::AttentionArgs call = args;
    call.dst = out.data(run);
    call.dstStride = out.width;
    call.q = q.data(run);
    call.qStride = q.width;
    call.sequences = sequences;
    call.sink = run.kv.sink;
    call.recent = run.kv.recent;
    return kernels::attention(run.pool, call, run.workspace);
  };
}

} // namespace qrt
