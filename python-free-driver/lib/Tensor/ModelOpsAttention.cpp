//===- ModelOpsAttention.cpp - sdpa and attention ---------------------------------------------===//
#include "Tensor/ModelOps.h"
#include "Tensor/Products.h"
#include "Tensor/WideElements.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qrt::tensor {
namespace {

/// Keys and values of one head in f64; keys padded with zeros to a multiple of 8, for dot().
class Head {
public:
  Head(int64_t keyWidth, int64_t valueWidth)
      : keyWidth(keyWidth), padded((keyWidth + 7) / 8 * 8), valueWidth(valueWidth),
        query(static_cast<size_t>(padded), 0.0), sum(static_cast<size_t>(valueWidth)) {}

  /// Key j lies at element base + j * stride, value j alike.
  void load(const Tensor &k, int64_t keyBase, int64_t keyStride, const Tensor &v, int64_t valueBase,
            int64_t valueStride, int64_t count) {
    keys.assign(static_cast<size_t>(count * padded), 0.0);
    values.resize(static_cast<size_t>(count * valueWidth));
    for (int64_t j = 0; j < count; ++j) {
      widen(k, keyBase + j * keyStride, keyWidth, keys.data() + j * padded);
      widen(v, valueBase + j * valueStride, valueWidth, values.data() + j * valueWidth);
    }
    scores.resize(static_cast<size_t>(count));
  }

  /// softmax(q k^T scale + mask) v over the keys [first, last) for the query at an element; `mask`
  /// is null or has a number for every key. Zeros if every key is masked.
  const double *attend(const Tensor &q, int64_t at, double scale, double softcap, int64_t first,
                       int64_t last, const double *mask) {
    widen(q, at, keyWidth, query.data());
    double largest = -std::numeric_limits<double>::infinity();
    for (int64_t j = first; j < last; ++j) {
      double score = dot(query.data(), keys.data() + j * padded, padded) * scale;
      if (softcap > 0)
        score = softcap * std::tanh(score / softcap);
      if (mask)
        score += mask[j];
      scores[j] = score;
      largest = score > largest || std::isnan(score) ? score : largest;
    }
    std::fill(sum.begin(), sum.end(), 0.0);
    if (largest == -std::numeric_limits<double>::infinity())
      return sum.data();
    double total = 0;
    for (int64_t j = first; j < last; ++j) {
      const double weight = std::exp(scores[j] - largest);
      total += weight;
      if (weight != 0)
        addScaled(sum.data(), values.data() + j * valueWidth, weight, valueWidth);
    }
    for (double &value : sum)
      value /= total;
    return sum.data();
  }

private:
  int64_t keyWidth, padded, valueWidth;
  std::vector<double> keys, values, query, scores, sum;
};

struct Sizes {
  int64_t batch, heads, kvHeads, queries, keys, width, valueWidth;
};

/// One row of the mask of sdpa as numbers to add.
class MaskRow {
public:
  MaskRow(const Tensor *mask, const Shape &scores) : mask(mask), row(mask ? scores[3] : 0) {
    if (mask)
      strides = broadcastStrides(mask->shape, scores);
  }

  const double *at(int64_t b, int64_t h, int64_t i) {
    if (!mask)
      return nullptr;
    const int64_t first = b * strides[0] + h * strides[1] + i * strides[2];
    const auto count = static_cast<int64_t>(row.size());
    if (strides[3] == 1) {
      widen(*mask, first, count, row.data());
    } else { // one element for all keys
      double value = 0;
      widen(*mask, first, 1, &value);
      std::fill(row.begin(), row.end(), value);
    }
    if (mask->dtype == DType::Bool)
      for (double &value : row)
        value = value != 0 ? 0.0 : -std::numeric_limits<double>::infinity();
    return row.data();
  }

private:
  const Tensor *mask;
  std::vector<double> row;
  std::vector<int64_t> strides;
};

Result<Sizes> sizesOfSdpa(Operands operands) {
  const Tensor &q = *operands[0], &k = *operands[1], &v = *operands[2];
  QRT_RETURN_IF_ERROR(checkFloats(operands.first(3)));
  if (q.shape.size() != 4 || k.shape.size() != 4 || v.shape.size() != 4)
    return badOperands(operands, "expects q, k and v of rank 4");
  const Sizes s{q.shape[0], q.shape[1], k.shape[1], q.shape[2], k.shape[2], q.shape[3], v.shape[3]};
  if (k.shape[0] != s.batch || v.shape[0] != s.batch || v.shape[1] != s.kvHeads ||
      v.shape[2] != s.keys || k.shape[3] != s.width || s.kvHeads < 1 || s.heads % s.kvHeads != 0)
    return badOperands(operands,
                       "expects q [B, Hq, Sq, D], k [B, Hkv, Skv, D], v [B, Hkv, Skv, Dv]");
  return s;
}

Status checkMask(const Tensor *mask, Operands operands, const Shape &scores) {
  if (!mask)
    return Status::ok();
  if (!isFloat(mask->dtype) && mask->dtype != DType::Bool)
    return badOperands(operands, "expects a mask of floats or booleans");
  Result<Shape> joined = broadcastShapes(mask->shape, scores);
  if (!joined || *joined != scores)
    return badOperands(operands, "expects a mask that broadcasts to " + shapeText(scores));
  return Status::ok();
}

Result<double> softcapOf(const OpCall &call) {
  QRT_ASSIGN_OR_RETURN(const double softcap, floatAttr(call, "softcap", 0.0));
  if (!(softcap >= 0))
    return invalidArgument("expects a softcap of at least 0");
  return softcap;
}

} // namespace

Result<std::vector<Tensor>> evaluateSdpa(const OpCall &call, Operands operands) {
  const Tensor &q = *operands[0], &k = *operands[1], &v = *operands[2];
  const Tensor *mask = operandAt(operands, 3);
  QRT_ASSIGN_OR_RETURN(const Sizes s, sizesOfSdpa(operands));
  const Shape scores{s.batch, s.heads, s.queries, s.keys};
  QRT_RETURN_IF_ERROR(checkMask(mask, operands, scores));
  QRT_ASSIGN_OR_RETURN(const double scale, requiredFloat(call, "scale"));
  QRT_ASSIGN_OR_RETURN(const double softcap, softcapOf(call));
  QRT_ASSIGN_OR_RETURN(const bool causal, flagAttr(call, "causal"));
  QRT_ASSIGN_OR_RETURN(const DType dtype, resultType(call, q.dtype));
  QRT_ASSIGN_OR_RETURN(FreshTensor result,
                       makeResult(operands, dtype, {s.batch, s.heads, s.queries, s.valueWidth}));
  if (!result.data || countOf(result.tensor) == 0)
    return std::vector<Tensor>{result.tensor};

  Head head(s.width, s.valueWidth);
  MaskRow maskRow(mask, scores);
  const int64_t group = s.heads / s.kvHeads;
  for (int64_t b = 0; b < s.batch; ++b)
    for (int64_t h = 0; h < s.heads; ++h) {
      const int64_t stored = b * s.kvHeads + h / group;
      if (h % group == 0)
        head.load(k, stored * s.keys * s.width, s.width, v, stored * s.keys * s.valueWidth,
                  s.valueWidth, s.keys);
      for (int64_t i = 0; i < s.queries; ++i) {
        const int64_t row = (b * s.heads + h) * s.queries + i;
        const int64_t visible =
            causal ? std::clamp<int64_t>(i + s.keys - s.queries + 1, 0, s.keys) : s.keys;
        const double *values =
            head.attend(q, row * s.width, scale, softcap, 0, visible, maskRow.at(b, h, i));
        narrow(dtype, result.data, row * s.valueWidth, s.valueWidth, values);
      }
    }
  return std::vector<Tensor>{result.tensor};
}

/// The tokens of one sequence that starts here: the cache named by the attribute is empty before.
Result<std::vector<Tensor>> evaluateAttention(const OpCall &call, Operands operands) {
  const Tensor &q = *operands[0], &k = *operands[1], &v = *operands[2];
  QRT_RETURN_IF_ERROR(checkFloats(operands));
  Sizes s{1, 0, 0, 0, 0, 0, 0};
  QRT_ASSIGN_OR_RETURN(s.heads, requiredInt(call, "num_heads"));
  QRT_ASSIGN_OR_RETURN(s.kvHeads, requiredInt(call, "kv_heads"));
  QRT_ASSIGN_OR_RETURN(s.width, requiredInt(call, "head_dim"));
  QRT_ASSIGN_OR_RETURN(s.valueWidth, requiredInt(call, "value_dim"));
  QRT_ASSIGN_OR_RETURN(const double scale, requiredFloat(call, "scale"));
  QRT_ASSIGN_OR_RETURN(const double softcap, softcapOf(call));
  QRT_ASSIGN_OR_RETURN(const int64_t window, countAttr(call, "window", 0));
  constexpr int64_t most = int64_t(1) << 30;
  for (int64_t size : {s.heads, s.kvHeads, s.width, s.valueWidth})
    if (size < 1 || size > most)
      return invalidArgument("expects head counts and sizes from 1 to 2^30");
  if (s.heads % s.kvHeads != 0)
    return invalidArgument("expects num_heads to be a multiple of kv_heads");
  const int64_t tokens = q.shape.empty() ? 0 : q.shape[0];
  if (q.shape != Shape{tokens, s.heads * s.width} ||
      k.shape != Shape{tokens, s.kvHeads * s.width} ||
      v.shape != Shape{tokens, s.kvHeads * s.valueWidth})
    return badOperands(operands, "expects q, k and v of T rows of num_heads * head_dim, kv_heads * "
                                 "head_dim and kv_heads * value_dim features");
  QRT_ASSIGN_OR_RETURN(const DType dtype, resultType(call, q.dtype));
  const int64_t features = s.heads * s.valueWidth;
  QRT_ASSIGN_OR_RETURN(FreshTensor result, makeResult(operands, dtype, {tokens, features}));
  if (!result.data)
    return std::vector<Tensor>{result.tensor};

  Head head(s.width, s.valueWidth);
  const int64_t group = s.heads / s.kvHeads;
  for (int64_t h = 0; h < s.heads; ++h) {
    if (h % group == 0)
      head.load(k, h / group * s.width, s.kvHeads * s.width, v, h / group * s.valueWidth,
                s.kvHeads * s.valueWidth, tokens);
    for (int64_t i = 0; i < tokens; ++i) {
      const int64_t first = window > 0 ? std::max<int64_t>(0, i - window + 1) : 0;
      const double *values = head.attend(q, (i * s.heads + h) * s.width, scale, softcap, first,
                                         i + 1, /*mask=*/nullptr);
      narrow(dtype, result.data, i * features + h * s.valueWidth, s.valueWidth, values);
    }
  }
  return std::vector<Tensor>{result.tensor};
}

} // namespace qrt::tensor
