//===- kvAppend.cpp - new keys and values into their pages --------------------===//
//
// Keys are transposed on the way: a page holds [headDim][64] per head.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/attention/attention.h"
#include "qrt/Half.h"

namespace qrt::kernels {

namespace {

template <typename Element, typename Round>
void appendToken(const KvAppendArgs &args, const KvAppendSequence &sequence, int64_t token,
                 Round round) {
  int64_t position = sequence.position + token, slot = position % kvPageTokens;
  auto *keys = static_cast<Element *>(sequence.kPages[position / kvPageTokens]);
  auto *values = static_cast<Element *>(sequence.vPages[position / kvPageTokens]);
  const float *k = args.k + (sequence.firstRow + token) * args.kStride;
  const float *v = args.v + (sequence.firstRow + token) * args.vStride;
  for (int64_t i = 0; i < args.kvHeads * args.headDim; ++i)
    keys[i * kvPageTokens + slot] = round(k[i]);
  for (int64_t head = 0; head < args.kvHeads; ++head)
    for (int64_t d = 0; d < args.valueDim; ++d)
      values[(head * kvPageTokens + slot) * args.valueDim + d] = round(v[head * args.valueDim + d]);
}

} // namespace

Status kvAppend(ThreadPool &pool, const KvAppendArgs &args) {
  if (kvPageBytes(1, 1, args.type) == 0)
    return Status::error(StatusCode::InvalidArgument,
                         "kvAppend: the cache must be f32, f16 or bf16");
  for (const KvAppendSequence &sequence : args.sequences)
    pool.parallelFor(sequence.tokens, 8, [&](int64_t begin, int64_t end, int) {
      for (int64_t token = begin; token < end; ++token)
        switch (args.type) {
        case DType::F16:
          appendToken<uint16_t>(args, sequence, token, f32ToF16);
          break;
        case DType::BF16:
          appendToken<uint16_t>(args, sequence, token, f32ToBf16);
          break;
        default:
          appendToken<float>(args, sequence, token, [](float x) { return x; });
        }
    });
  return Status::ok();
}

} // namespace qrt::kernels
