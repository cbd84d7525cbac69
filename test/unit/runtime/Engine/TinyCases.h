//===- TinyCases.h - Tiny models with a bound for what an engine may be off ------------------===//
#ifndef QRT_TEST_TINYCASES_H
#define QRT_TEST_TINYCASES_H

#include "TinyModel.h"

namespace qrt::test {

struct TinyCase {
  const char *name;
  TinyConfig config;
  double tolerance; ///< relative to the largest logit
};

struct TinyCases {
  std::vector<TinyCase> list;

  /// change(config): what is not the default.
  template <class Change>
  void add(const char *name, double tolerance, const Change &change) {
    TinyConfig config;
    change(config);
    list.push_back({name, config, tolerance});
  }
  /// Every structure of a program, in f32.
  void addStructures(double tolerance);
};

} // namespace qrt::test

#endif // QRT_TEST_TINYCASES_H
