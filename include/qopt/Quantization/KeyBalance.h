//===- KeyBalance.h - Static factors that even out key features -------------------------------===//
// A key of few bits has one scale per token and head, so a feature with large keys takes the codes
// of all others: Qwen2's biases make a few features tens of times larger. Dividing each key feature
// by its size and multiplying the query by it changes no score and gives every feature the same
// number of codes (QServe, arXiv 2405.04532, section 4.2, with exponent 1, after the rotation).
// Sizes come from the weights, without data:
//
//   m[f] = |b[f]| + 3 sqrt(sum_i (w[f][i] g[i])^2)
//
// the bias and three deviations of w x for x = g n, n of unit variance: what a norm with weights g
// makes. Rotary embedding mixes pairs of features, which get the larger size of the two.
#ifndef QOPT_QUANTIZATION_KEYBALANCE_H
#define QOPT_QUANTIZATION_KEYBALANCE_H

#include <cstdint>
#include <span>
#include <vector>

namespace qopt::quantization {

/// Sizes of the rows of w [rows, columns]. gain [columns] or empty: ones; bias [rows] or empty.
std::vector<float> keySizes(std::span<const float> w, int64_t columns, std::span<const float> gain,
                            std::span<const float> bias);

/// Which features of a head are rotated together: the first rotaryDim, i with i + rotaryDim / 2, or
/// 2 i with 2 i + 1 if interleaved. 0: none.
struct RotaryPairs {
  int64_t rotaryDim = 0;
  bool interleaved = false;
};

/// Factors [heads * headDim] from sizes of that shape, with mean square 1 in every head; a size
/// that is not positive or not finite counts as the smallest that is.
std::vector<float> keyBalance(std::span<const float> sizes, int64_t headDim,
                              const RotaryPairs &pairs);

/// Largest factor of a head over its (lower) median, the largest of all heads: 1 is even.
float keySpread(std::span<const float> factors, int64_t headDim);

} // namespace qopt::quantization

#endif // QOPT_QUANTIZATION_KEYBALANCE_H
