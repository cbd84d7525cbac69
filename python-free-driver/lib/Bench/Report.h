//===- Report.h - A bench report as JSON and as text ------------------------------------------===//
#ifndef QRT_BENCH_REPORT_H
#define QRT_BENCH_REPORT_H

#include "Bench/Bench.h"
#include "Support/Json.h"

namespace qrt::bench {

/// Stable keys in snake_case; seconds, bytes and operations, unscaled.
OrderedJson toJson(const BenchReport &report);

/// A table for people, scaled to GB/s, Gop/s and ms, lines ended by '\n'.
std::string toText(const BenchReport &report);

} // namespace qrt::bench

#endif // QRT_BENCH_REPORT_H
