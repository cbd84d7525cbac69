//===- Math.h - elementary functions on vectors ------------------------------===//
//
// Polynomials after Cephes (S. Moshier, single precision) and, for erf beyond 1, Abramowitz and
// Stegun 7.1.26. Templates on the vector type of VecAvx512.h / VecAvx2.h. A NaN stays a NaN.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_SIMD_MATH_H
#define QRT_KERNELS_CPU_SIMD_MATH_H

#include <cstdint>

namespace qrt::kernels {
namespace {

/// The first `count` < width lanes; the others are zero.
template <class V>
typename V::Type loadPart(const float *p, int64_t count) {
  alignas(64) float lanes[V::width] = {};
  for (int64_t i = 0; i < count; ++i)
    lanes[i] = p[i];
  return V::load(lanes);
}

template <class V>
void storePart(float *p, typename V::Type x, int64_t count) {
  alignas(64) float lanes[V::width];
  V::store(lanes, x);
  for (int64_t i = 0; i < count; ++i)
    p[i] = lanes[i];
}

/// Coefficients from the highest power down.
template <class V, int N>
typename V::Type polynomial(typename V::Type x, const float (&c)[N]) {
  typename V::Type y = V::set1(c[0]);
  for (int i = 1; i < N; ++i)
    y = V::fma(y, x, V::set1(c[i]));
  return y;
}

/// Relative error below 2e-7; 0 below -87.3; 2.4e38 from 88.37 up.
template <class V>
typename V::Type vexp(typename V::Type x) {
  using T = typename V::Type;
  constexpr float lowest = -87.3f, highest = 88.37f;
  T clamped = V::min(V::set1(highest), V::max(V::set1(lowest), x));
  const T magic = V::set1(12582912.0f); // 1.5 * 2^23: adding it rounds to an integer
  T shifted = V::fma(clamped, V::set1(1.44269504088896341f), magic);
  T n = V::sub(shifted, magic);
  T r = V::fma(n, V::set1(-0.693359375f), clamped);
  r = V::fma(n, V::set1(2.12194440e-4f), r);
  T p = polynomial<V>(r, {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f,
                          1.6666665459e-1f, 5.0000001201e-1f});
  T y = V::fma(V::mul(p, r), r, V::add(r, V::set1(1.0f)));
  y = V::mul(y, V::exponent(shifted));
  return V::select(V::less(x, V::set1(lowest)), V::zero(), y);
}

template <class V>
typename V::Type vtanh(typename V::Type x) {
  using T = typename V::Type;
  T magnitude = V::abs(x), square = V::mul(x, x);
  T small = polynomial<V>(square, {-5.70498872745e-3f, 2.06390887954e-2f, -5.37397155531e-2f,
                                   1.33314422036e-1f, -3.33332819422e-1f});
  small = V::fma(V::mul(small, square), x, x);
  T e = vexp<V>(V::add(magnitude, magnitude));
  T large = V::sub(V::set1(1.0f), V::div(V::set1(2.0f), V::add(e, V::set1(1.0f))));
  large = V::select(V::less(x, V::zero()), V::sub(V::zero(), large), large);
  return V::select(V::less(magnitude, V::set1(0.625f)), small, large);
}

template <class V>
typename V::Type verf(typename V::Type x) {
  using T = typename V::Type;
  T magnitude = V::abs(x), square = V::mul(x, x);
  T small =
      polynomial<V>(square, {7.853861353153693e-5f, -8.010193625184903e-4f, 5.188327685732524e-3f,
                             -2.685381193529856e-2f, 1.128358514861418e-1f, -3.761262582423300e-1f,
                             1.128379165726710f});
  small = V::mul(small, x);
  T one = V::set1(1.0f);
  T t = V::div(one, V::fma(magnitude, V::set1(0.3275911f), one));
  T q = polynomial<V>(t, {1.061405429f, -1.453152027f, 1.421413741f, -0.284496736f, 0.254829592f});
  T large = V::sub(one, V::mul(V::mul(q, t), vexp<V>(V::sub(V::zero(), square))));
  large = V::select(V::less(x, V::zero()), V::sub(V::zero(), large), large);
  return V::select(V::less(magnitude, one), small, large);
}

template <class V>
typename V::Type vsigmoid(typename V::Type x) {
  typename V::Type one = V::set1(1.0f);
  return V::div(one, V::add(one, vexp<V>(V::sub(V::zero(), x))));
}

} // namespace
} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_SIMD_MATH_H
