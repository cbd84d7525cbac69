//===- GptqCase.h - A weight and the Hessian of its inputs, for tests of GPTQ ----------------===//
#ifndef QOPT_TEST_QUANTIZATION_GPTQCASE_H
#define QOPT_TEST_QUANTIZATION_GPTQCASE_H

#include "Reference.h"

#include "qopt/Quantization/GPTQ.h"

namespace qopt::quantization::test {

struct GptqCase {
  int64_t n, k;
  Floats w, h;
};

/// Every 97th weight stands out: it is `outlier` times as large.
inline GptqCase makeCase(int64_t n, int64_t k, unsigned seed, float outlier = 5) {
  GptqCase c{n, k, normals(n * k, seed, 0.05f), {}};
  for (int64_t i = 0; i < n * k; i += 97)
    c.w[i] *= outlier;
  c.h = hessian(activations(3 * k, k, seed + 7), k);
  return c;
}

/// tr(E H E^T) with the weights x in place of the case's.
inline double lossOf(const GptqCase &c, const Doubles &x) {
  Doubles e(x.size());
  for (size_t i = 0; i < e.size(); ++i)
    e[i] = c.w[i] - x[i];
  return quadratic(e, c.n, c.k, c.h);
}

inline GptqOptions withFormat(int bits, int64_t group, bool symmetric,
                              int rounds = GptqOptions().rounds) {
  GptqOptions options;
  options.format = {bits, group, symmetric, false};
  options.rounds = rounds;
  return options;
}

} // namespace qopt::quantization::test

#endif // QOPT_TEST_QUANTIZATION_GPTQCASE_H
