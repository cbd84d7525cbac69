//===- ElementwiseKernel.h - element-wise operations on a vector type --------===//
//
// The kind is a template parameter of the inner loop, so it costs one branch per call.
//
//===----------------------------------------------------------------------===//

#ifndef QRT_KERNELS_CPU_ELEMENTWISE_ELEMENTWISEKERNEL_H
#define QRT_KERNELS_CPU_ELEMENTWISE_ELEMENTWISEKERNEL_H

#include "kernels/cpu/elementwise/elementwise.h"
#include "kernels/cpu/simd/Math.h"

namespace qrt::kernels {
namespace {

template <class V, UnaryKind Kind>
typename V::Type applyUnary(typename V::Type x, typename V::Type parameter) {
  using T = typename V::Type;
  if constexpr (Kind == UnaryKind::Gelu) {
    T erf = verf<V>(V::mul(x, V::set1(0.70710678118654752f)));
    return V::mul(V::mul(V::set1(0.5f), x), V::add(V::set1(1.0f), erf));
  } else if constexpr (Kind == UnaryKind::GeluTanh) {
    T cube = V::mul(V::mul(x, x), x);
    T inner = V::mul(V::set1(0.79788456080286536f), V::fma(cube, V::set1(0.044715f), x));
    return V::mul(V::mul(V::set1(0.5f), x), V::add(V::set1(1.0f), vtanh<V>(inner)));
  } else if constexpr (Kind == UnaryKind::QuickGelu) {
    return V::mul(x, vsigmoid<V>(V::mul(x, V::set1(1.702f))));
  } else if constexpr (Kind == UnaryKind::Silu) {
    return V::mul(x, vsigmoid<V>(x));
  } else if constexpr (Kind == UnaryKind::Relu) {
    return V::max(V::zero(), x);
  } else if constexpr (Kind == UnaryKind::Tanh) {
    return vtanh<V>(x);
  } else if constexpr (Kind == UnaryKind::Sigmoid) {
    return vsigmoid<V>(x);
  } else {
    static_assert(Kind == UnaryKind::Softcap);
    return V::mul(parameter, vtanh<V>(V::div(x, parameter)));
  }
}

template <class V, BinaryKind Kind>
typename V::Type applyBinary(typename V::Type a, typename V::Type b) {
  if constexpr (Kind == BinaryKind::Add)
    return V::add(a, b);
  else if constexpr (Kind == BinaryKind::Sub)
    return V::sub(a, b);
  else if constexpr (Kind == BinaryKind::Mul)
    return V::mul(a, b);
  else
    return V::div(a, b);
}

/// Calls f(kind constant) for the kind at hand.
template <class F>
void withUnary(UnaryKind kind, F f) {
  using K = UnaryKind;
  switch (kind) {
#define QRT_CASE(k)                                                                                \
  case K::k:                                                                                       \
    return f.template operator()<K::k>();
    QRT_CASE(Gelu)
    QRT_CASE(GeluTanh)
    QRT_CASE(QuickGelu)
    QRT_CASE(Silu)
    QRT_CASE(Relu)
    QRT_CASE(Tanh)
    QRT_CASE(Sigmoid)
    QRT_CASE(Softcap)
#undef QRT_CASE
  }
}

template <class F>
void withBinary(BinaryKind kind, F f) {
  switch (kind) {
  case BinaryKind::Add:
    return f.template operator()<BinaryKind::Add>();
  case BinaryKind::Sub:
    return f.template operator()<BinaryKind::Sub>();
  case BinaryKind::Mul:
    return f.template operator()<BinaryKind::Mul>();
  case BinaryKind::Div:
    return f.template operator()<BinaryKind::Div>();
  }
}

template <class V>
void unaryKernel(const UnaryArgs &args, int64_t begin, int64_t end) {
  const typename V::Type parameter = V::set1(args.parameter);
  withUnary(args.kind, [&]<UnaryKind Kind>() {
    for (int64_t t = begin; t < end; ++t) {
      float *y = args.dst + t * args.dstStride;
      const float *x = args.src + t * args.srcStride;
      int64_t i = 0;
      for (; i + V::width <= args.width; i += V::width)
        V::store(y + i, applyUnary<V, Kind>(V::load(x + i), parameter));
      if (i < args.width)
        storePart<V>(y + i, applyUnary<V, Kind>(loadPart<V>(x + i, args.width - i), parameter),
                     args.width - i);
    }
  });
}

template <class V>
void gatedKernel(const GatedArgs &args, int64_t begin, int64_t end) {
  const typename V::Type parameter = V::set1(args.parameter);
  withUnary(args.kind, [&]<UnaryKind Kind>() {
    for (int64_t t = begin; t < end; ++t) {
      float *y = args.dst + t * args.dstStride;
      const float *g = args.gate + t * args.gateStride, *u = args.up + t * args.upStride;
      int64_t i = 0;
      for (; i + V::width <= args.width; i += V::width)
        V::store(y + i, V::mul(applyUnary<V, Kind>(V::load(g + i), parameter), V::load(u + i)));
      const int64_t left = args.width - i;
      if (left > 0)
        storePart<V>(y + i,
                     V::mul(applyUnary<V, Kind>(loadPart<V>(g + i, left), parameter),
                            loadPart<V>(u + i, left)),
                     left);
    }
  });
}

template <class V>
void binaryKernel(const BinaryArgs &args, int64_t begin, int64_t end) {
  const bool scalar = args.broadcast == Broadcast::Scalar;
  const typename V::Type number = V::set1(scalar ? args.rhs[0] : 0.0f);
  withBinary(args.kind, [&]<BinaryKind Kind>() {
    auto apply = [&](typename V::Type a, typename V::Type b) {
      return args.swapped ? applyBinary<V, Kind>(b, a) : applyBinary<V, Kind>(a, b);
    };
    for (int64_t t = begin; t < end; ++t) {
      float *y = args.dst + t * args.dstStride;
      const float *a = args.lhs + t * args.lhsStride;
      const float *b = args.rhs + (args.broadcast == Broadcast::None ? t * args.rhsStride : 0);
      int64_t i = 0;
      for (; i + V::width <= args.width; i += V::width)
        V::store(y + i, apply(V::load(a + i), scalar ? number : V::load(b + i)));
      const int64_t left = args.width - i;
      if (left > 0)
        storePart<V>(y + i,
                     apply(loadPart<V>(a + i, left), scalar ? number : loadPart<V>(b + i, left)),
                     left);
    }
  });
}

} // namespace
} // namespace qrt::kernels

#endif // QRT_KERNELS_CPU_ELEMENTWISE_ELEMENTWISEKERNEL_H
