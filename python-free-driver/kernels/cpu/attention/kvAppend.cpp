//===- kvAppend.cpp - new keys and values into their pages --------------------===//
//
// Keys are transposed on the way. Work is split by pages and kv heads: tokens of one page share
// bytes of its codes.
//
//===----------------------------------------------------------------------===//

#include "kernels/cpu/attention/KvCodes.h"
#include "kernels/cpu/attention/KvPairs.h"
#include "qrt/Half.h"

#include <algorithm>

namespace qrt::kernels {

namespace {

/// The part of one kv head in a page of keys or values.
class HeadWriter {
public:
  HeadWriter(int64_t dim, DType type, bool isKey, const float *balance)
      : dim(dim), type(type), isKey(isKey), codes(kvCodeLayout(dim, type, isKey)),
        headBytes(static_cast<int64_t>(kvPageBytes(1, dim, type, isKey))), balance(balance) {}

  void write(const float *x, int64_t kvHead, int64_t slot, void *page) const {
    auto *head = static_cast<char *>(page) + kvHead * headBytes;
    switch (type) {
    case DType::F32:
      return scatter<float>(x, slot, head, [](float value) { return value; });
    case DType::F16:
      return scatter<uint16_t>(x, slot, head, f32ToF16);
    case DType::BF16:
      return scatterPairs(x, slot, head);
    default:
      return writeKvToken(codes, isKey, x, isKey && balance ? balance + kvHead * dim : nullptr,
                          slot, head);
    }
  }

private:
  template <typename Element, typename Round>
  void scatter(const float *x, int64_t slot, char *head, Round round) const {
    auto *out = reinterpret_cast<Element *>(head);
    for (int64_t d = 0; d < dim; ++d)
      out[isKey ? d * kvPageTokens + slot : slot * dim + d] = round(x[d]);
  }

  void scatterPairs(const float *x, int64_t slot, char *head) const {
    auto *out = reinterpret_cast<uint16_t *>(head);
    for (int64_t d = 0; d < dim; ++d)
      out[pairElement(dim, isKey, slot, d)] = f32ToBf16(x[d]);
    if (isKey && dim % 2)
      out[pairElement(dim, isKey, slot, dim)] = 0;
  }

  int64_t dim;
  DType type;
  bool isKey;
  KvCodeLayout codes;
  int64_t headBytes;
  const float *balance;
};

void appendPart(const KvAppendArgs &args, const KvAppendSequence &sequence, bool isKey,
                int64_t page, int64_t firstHead, int64_t endHead) {
  void *const *pages = isKey ? sequence.kPages : sequence.vPages;
  void *const *precise = isKey ? sequence.kPrecise : sequence.vPrecise;
  const int64_t dim = isKey ? args.headDim : args.valueDim;
  const HeadWriter stored(dim, isKey ? args.keyType : args.valueType, isKey, args.keyBalance);
  const HeadWriter copy(dim, kvPreciseType, isKey, nullptr);
  const int64_t begin = std::max(sequence.position, page * kvPageTokens);
  const int64_t end = std::min(sequence.position + sequence.tokens, (page + 1) * kvPageTokens);
  for (int64_t position = begin; position < end; ++position) {
    const int64_t row = sequence.firstRow + position - sequence.position;
    const float *x = isKey ? args.k + row * args.kStride : args.v + row * args.vStride;
    for (int64_t head = firstHead; head < endHead; ++head) {
      stored.write(x + head * dim, head, position % kvPageTokens, pages[page]);
      if (precise && precise[page])
        copy.write(x + head * dim, head, position % kvPageTokens, precise[page]);
    }
  }
}

} // namespace

Status kvAppend(ThreadPool &pool, const KvAppendArgs &args) {
  QRT_RETURN_IF_ERROR(checkKvTypes(args.headDim, args.keyType, args.valueDim, args.valueType));
  for (const KvAppendSequence &sequence : args.sequences) {
    if (sequence.tokens <= 0)
      continue;
    const int64_t firstPage = sequence.position / kvPageTokens;
    const int64_t pages = (sequence.position + sequence.tokens - 1) / kvPageTokens - firstPage + 1;
    // A single token costs less than a barrier.
    const int64_t grain = sequence.tokens < 8 ? pages * args.kvHeads : 1;
    pool.parallelFor(pages * args.kvHeads, grain, [&](int64_t begin, int64_t end, int) {
      for (int64_t item = begin; item < end; ++item) {
        const int64_t page = firstPage + item / args.kvHeads, head = item % args.kvHeads;
        appendPart(args, sequence, true, page, head, head + 1);
        appendPart(args, sequence, false, page, head, head + 1);
      }
    });
  }
  return Status::ok();
}

} // namespace qrt::kernels
