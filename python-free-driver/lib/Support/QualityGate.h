//===- QualityGate.h - Bounds that a measurement has to keep ---------------------------------===//
// The grammar of --gate, one for qopt and qrun: comma-separated bounds on named figures, as in
// "kl<=0.02,top1>=0.97". Which figures there are, and on which side each is bounded, is the
// caller's. Thread safety: values.
#ifndef QRT_SUPPORT_QUALITYGATE_H
#define QRT_SUPPORT_QUALITYGATE_H

#include "qrt/Status.h"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qrt {

/// A figure that can be bounded: from above ("<=", less is better) or from below (">=").
struct GateMetric {
  std::string_view name;
  bool upper;
};

class QualityGate {
public:
  /// InvalidArgument "--gate: expects bounds as in ..., got 'ppl<=3'; known: kl<=, top1>=".
  static Result<QualityGate> parse(std::string_view text, std::span<const GateMetric> metrics);

  bool isSet() const { return !bounds.empty(); }
  bool hasBound(std::string_view metric) const;
  /// What parse() reads.
  std::string text() const;
  /// GateFailed "kl 0.031 > 0.02, top1 0.95 < 0.97<note>" with the bounds that are not kept; a
  /// figure that is NaN or was not measured keeps none.
  Status check(const std::map<std::string, double, std::less<>> &measured,
               const std::string &note = {}) const;

private:
  struct Bound {
    std::string metric;
    bool upper;
    double limit;
    std::string text; ///< of the limit, as it was written
  };
  std::vector<Bound> bounds;
};

} // namespace qrt

#endif // QRT_SUPPORT_QUALITYGATE_H
