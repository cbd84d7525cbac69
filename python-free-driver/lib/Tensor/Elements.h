//===- Elements.h - Typed access to the elements of tensors -----------------------------------===//
// Ops compute in one of four types: float for f32, f16 and bf16, double for f64, uint64_t for u64,
// and int64_t for the other integers and Bool; withComputeType() picks it. `Elements<C>` reads a
// tensor as an array of C, without a copy where that is how it is stored; pack() rounds an array of
// C to a dtype. Both convert like the cast op: float to integer truncates and saturates (NaN gives
// 0), integers wrap, anything to Bool is `x != 0`, to a narrower float it rounds once, ties to
// even. Thread safety: no shared state.
#ifndef QRT_TENSOR_ELEMENTS_H
#define QRT_TENSOR_ELEMENTS_H

#include "Tensor/Shapes.h"
#include "Tensor/Tensor.h"
#include "qrt/Status.h"

#include <span>
#include <type_traits>
#include <utility>

namespace qrt::tensor {

/// An owned tensor of uninitialized elements and the place to fill them.
struct FreshTensor {
  Tensor tensor;
  void *data = nullptr;

  template <class T>
  T *as() const {
    return static_cast<T *>(data);
  }
};
/// ResourceExhausted above maxResultBytes or the memory there is. The data is aligned to 64 bytes
/// and never null, not even of an empty tensor.
Result<FreshTensor> makeTensor(DType dtype, Shape shape);
/// A tensor without data whose shape has been checked.
Result<Tensor> abstractTensor(DType dtype, Shape shape);
/// The same data under another shape of as many elements.
Tensor withShape(const Tensor &x, Shape shape);

/// Elements of a tensor that has been checked.
inline int64_t countOf(const Tensor &x) { return countOf(x.shape); }
inline bool isAbstract(const Tensor &x) { return x.data == nullptr; }
/// "f32 [2, 3]"
std::string describe(const Tensor &x);

/// C is float, double, int64_t or uint64_t.
template <class C>
constexpr DType dtypeOfCompute() {
  if constexpr (std::is_same_v<C, float>)
    return DType::F32;
  else if constexpr (std::is_same_v<C, double>)
    return DType::F64;
  else if constexpr (std::is_same_v<C, int64_t>)
    return DType::I64;
  else
    return DType::U64;
}

/// Converts the elements of `x`, which has data, into `to`, which has room for them.
void loadElements(const Tensor &x, float *to);
void loadElements(const Tensor &x, double *to);
void loadElements(const Tensor &x, int64_t *to);
void loadElements(const Tensor &x, uint64_t *to);

/// The elements of a tensor that has data, read as C. Keeps a borrowed tensor alive.
template <class C>
class Elements {
public:
  explicit Elements(const Tensor &x) : count(static_cast<size_t>(countOf(x))) {
    if (x.dtype == dtypeOfCompute<C>()) {
      owner = x.data;
      first = static_cast<const C *>(x.data.get());
    } else {
      converted.resize(count);
      loadElements(x, converted.data());
      first = converted.data();
    }
  }
  Elements(const Elements &) = delete;
  Elements &operator=(const Elements &) = delete;

  const C *data() const { return first; }
  size_t size() const { return count; }
  const C &operator[](size_t i) const { return first[i]; }
  const C *begin() const { return first; }
  const C *end() const { return first + count; }
  std::span<const C> span() const { return {first, count}; }

private:
  size_t count;
  const C *first;
  std::vector<C> converted;
  std::shared_ptr<const void> owner;
};

/// A tensor of `dtype` from values of its compute type or another one; takes the array over where
/// that is how the tensor is stored. There are as many values as the shape has elements.
Result<Tensor> pack(DType dtype, Shape shape, std::vector<float> values);
Result<Tensor> pack(DType dtype, Shape shape, std::vector<double> values);
Result<Tensor> pack(DType dtype, Shape shape, std::vector<int64_t> values);
Result<Tensor> pack(DType dtype, Shape shape, std::vector<uint64_t> values);

/// Calls f(C()) with the compute type C of `dtype`.
template <class F>
decltype(auto) withComputeType(DType dtype, F &&f) {
  switch (dtype) {
  case DType::F32:
  case DType::F16:
  case DType::BF16:
    return f(float());
  case DType::F64:
    return f(double());
  case DType::U64:
    return f(uint64_t());
  default:
    return f(int64_t());
  }
}

/// The values of an integer operand that decides about the shape of a result; `what` names it in
/// the error that an abstract or float tensor gives.
Result<std::vector<int64_t>> integersOf(const Tensor &x, const char *what);
/// The only element of such an operand.
Result<int64_t> integerOf(const Tensor &x, const char *what);

/// A copy of `x` (which may be abstract) read from element `base` on by `strides`, one per axis of
/// `shape`; all of that lies inside x.
Result<Tensor> copyStrided(const Tensor &x, int64_t base, const std::vector<int64_t> &strides,
                           Shape shape);

} // namespace qrt::tensor

#endif // QRT_TENSOR_ELEMENTS_H
