//===- ModelFixture.h - Tensors and calls for tests of products and model ops -----------------===//
#ifndef QOPT_TEST_UNIT_RUNTIME_TENSOR_MODELFIXTURE_H
#define QOPT_TEST_UNIT_RUNTIME_TENSOR_MODELFIXTURE_H

#include "Tensor/Elements.h"
#include "Tensor/Evaluate.h"

#include "gtest/gtest.h"

#include <random>

namespace qrt::tensor {

inline Tensor make(DType dtype, Shape shape, std::vector<double> values) {
  return pack(dtype, std::move(shape), std::move(values)).takeValue();
}
inline Tensor floats(Shape shape, std::vector<double> values) {
  return make(DType::F32, std::move(shape), std::move(values));
}
inline Tensor abstractOf(DType dtype, Shape shape) { return {dtype, std::move(shape), nullptr}; }

/// Normally distributed numbers, rounded to `dtype`.
inline Tensor randomTensor(DType dtype, Shape shape, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values(static_cast<size_t>(countOf(shape)));
  for (double &value : values)
    value = normal(random);
  return make(dtype, std::move(shape), std::move(values));
}
inline Tensor randomIntegers(DType dtype, Shape shape, int low, int high, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<double> values(static_cast<size_t>(countOf(shape)));
  for (double &value : values)
    value = low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1));
  return make(dtype, std::move(shape), std::move(values));
}

inline std::vector<double> valuesOf(const Tensor &x) {
  Elements<double> elements(x);
  return {elements.begin(), elements.end()};
}

using Attrs = std::map<std::string, AttrValue>;

inline Result<std::vector<Tensor>>
tryRun(const char *op, const std::vector<const Tensor *> &operands, Attrs attrs = {}) {
  return evaluate({op, std::move(attrs)}, operands);
}
/// The only result of a call that must succeed; checks that it has data.
inline Tensor run(const char *op, const std::vector<const Tensor *> &operands, Attrs attrs = {}) {
  auto results = tryRun(op, operands, std::move(attrs));
  EXPECT_TRUE(results.isOk()) << results.status().message();
  if (!results)
    return floats({0}, {});
  EXPECT_NE(results->front().data, nullptr);
  return results->front();
}
inline std::string messageOf(const char *op, const std::vector<const Tensor *> &operands,
                             Attrs attrs = {}) {
  auto results = tryRun(op, operands, std::move(attrs));
  EXPECT_FALSE(results.isOk());
  return results.status().message();
}

inline void expectNear(const Tensor &got, const std::vector<double> &want, double tolerance) {
  const std::vector<double> values = valuesOf(got);
  ASSERT_EQ(values.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i)
    ASSERT_NEAR(values[i], want[i], tolerance) << "element " << i;
}

} // namespace qrt::tensor

#endif // QOPT_TEST_UNIT_RUNTIME_TENSOR_MODELFIXTURE_H
