//===- KvQuantization.cpp - Reference numerics of quantized caches ----------------------------===//
#include "qopt/Quantization/KvQuantization.h"

#include "qopt/Quantization/QuantizedMatrix.h"

#include "RowLoss.h"

#include <algorithm>

namespace qopt::quantization {

namespace {

/// values [count], one row, through the format and back.
bool roundTrip(const GroupFormat &format, float *values, int64_t count) {
  QuantizedMatrix row = makeQuantizedMatrix(format, 1, count);
  ErrorSums sums;
  if (!quantizeRow(format, values, count, row.codes.data(), row.scales.data(),
                   format.symmetric ? nullptr : row.zeroPoints.data(), sums))
    return false;
  dequantizeRow(row, 0, values);
  return true;
}

} // namespace

qrt::Status roundTripKv(std::span<float> x, int64_t tokens, int64_t channels,
                        const KvFormat &format) {
  if (int64_t(x.size()) != tokens * channels)
    return qrt::invalidArgument("cache of " + std::to_string(x.size()) + " elements is not [" +
                                std::to_string(tokens) + ", " + std::to_string(channels) + "]");
  if (format.bits != 8 && format.bits != 4)
    return qrt::invalidArgument("a cache has 8 or 4 bits, not " + std::to_string(format.bits));
  const int64_t group = format.groupSize ? format.groupSize : format.headDim;
  if (format.axis == KvAxis::PerToken &&
      (group <= 0 || channels % group != 0 || (format.headDim > 0 && format.headDim % group != 0)))
    return qrt::invalidArgument("groups of " + std::to_string(group) + " do not divide heads of " +
                                std::to_string(format.headDim) + " in " + std::to_string(channels) +
                                " channels");
  if (format.axis == KvAxis::PerChannel && format.tokenBlock <= 0)
    return qrt::invalidArgument("tokenBlock must be positive");
  const int64_t first = std::min(tokens, std::max<int64_t>(format.sinkTokens, 0));
  const int64_t last = std::max(first, tokens - std::max<int64_t>(format.recentTokens, 0));
  bool finite = true;
  if (format.axis == KvAxis::PerToken) {
    const GroupFormat row{format.bits, group, format.symmetric, false};
    for (int64_t t = first; t < last; ++t)
      finite &= roundTrip(row, x.data() + t * channels, channels);
  } else {
    const GroupFormat row{format.bits, 0, format.symmetric, false};
    std::vector<float> column(format.tokenBlock);
    for (int64_t t = first; t + format.tokenBlock <= last; t += format.tokenBlock)
      for (int64_t c = 0; c < channels; ++c) {
        for (int64_t i = 0; i < format.tokenBlock; ++i)
          column[i] = x[(t + i) * channels + c];
        finite &= roundTrip(row, column.data(), format.tokenBlock);
        for (int64_t i = 0; i < format.tokenBlock; ++i)
          x[(t + i) * channels + c] = column[i];
      }
  }
  return finite ? qrt::Status::ok()
                : qrt::invalidArgument("the cache holds values that are not finite");
}

} // namespace qopt::quantization
