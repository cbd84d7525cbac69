//===- LinearTable.cpp - Calibrated linears in reports ---------------------------------------===//
#include "LinearTable.h"

#include "Support/Memory.h"

#include "llvm/Support/Format.h"

#include <algorithm>
#include <cmath>

using namespace llvm;
using qopt::calibration::LinearReport;

namespace qopt {

static double relative(double loss, const LinearReport &linear) {
  return linear.energy > 0 ? loss / linear.energy : 0;
}

static std::string duration(double seconds) {
  const auto whole = static_cast<int64_t>(std::lround(seconds));
  std::string text;
  raw_string_ostream os(text);
  if (whole >= 3600)
    os << whole / 3600 << "h" << format("%02d", static_cast<int>(whole / 60 % 60)) << "m";
  else if (whole >= 60)
    os << whole / 60 << "m" << format("%02d", static_cast<int>(whole % 60)) << "s";
  else
    os << whole << "s";
  return text;
}

void printLinear(const LinearReport &linear, int64_t done, int64_t count, double secondsLeft,
                 raw_ostream &os) {
  os << "qopt: "
     << format("[%*lld/%lld] ", count >= 1000 ? 4 : 3, (long long)done, (long long)count)
     << linear.name << "  " << linear.rows << "x" << linear.columns << " " << linear.scheme
     << format("  %.2f bits  loss %.3e (rtn %.3e)  %lld tokens  %.2f s  ", linear.bits,
               relative(linear.loss, linear), relative(linear.lossRtn, linear),
               (long long)linear.tokens, linear.seconds)
     << qrt::formatBytes(linear.peakBytes) << (linear.resumed ? "  resumed" : "");
  if (done < count)
    os << "  " << duration(secondsLeft) << " left";
  os << "\n";
}

void printLinearSummary(const std::vector<LinearReport> &linears, raw_ostream &os) {
  if (linears.empty())
    return;
  double loss = 0, rtn = 0, elements = 0, bits = 0;
  for (const LinearReport &linear : linears) {
    const double size = double(linear.rows) * double(linear.columns);
    loss += relative(linear.loss, linear);
    rtn += relative(linear.lossRtn, linear);
    elements += size;
    bits += size * linear.bits;
  }
  const auto count = static_cast<double>(linears.size());
  os << "  calibrated: " << linears.size() << " linears, "
     << format("%.3f bits per weight, mean output error %.3e, round to nearest %.3e (%.1f times)\n",
               bits / elements, loss / count, rtn / count, loss > 0 ? rtn / loss : 0.0);
  std::vector<const LinearReport *> worst;
  for (const LinearReport &linear : linears)
    worst.push_back(&linear);
  std::stable_sort(worst.begin(), worst.end(),
                   [](auto *a, auto *b) { return relative(a->loss, *a) > relative(b->loss, *b); });
  worst.resize(std::min<size_t>(5, worst.size()));
  for (const LinearReport *linear : worst)
    os << format("  worst: %.3e output error  ", relative(linear->loss, *linear)) << linear->scheme
       << "  --keep-fp16 '^" << linear->name << "$'\n";
}

qrt::OrderedJson linearsJson(const std::vector<LinearReport> &linears) {
  qrt::OrderedJson list = qrt::OrderedJson::array();
  for (const LinearReport &linear : linears)
    list.push_back({{"name", linear.name},
                    {"shape", {linear.rows, linear.columns}},
                    {"scheme", linear.scheme},
                    {"bits_per_weight", linear.bits},
                    {"outliers", linear.outliers},
                    {"tokens", linear.tokens},
                    {"relative_loss", relative(linear.loss, linear)},
                    {"relative_loss_rtn", relative(linear.lossRtn, linear)},
                    {"loss", linear.loss},
                    {"loss_rtn", linear.lossRtn},
                    {"output_energy", linear.energy},
                    {"rms_error", linear.rmsError},
                    {"damping", linear.damping},
                    {"seconds", linear.seconds},
                    {"peak_resident_bytes", linear.peakBytes},
                    {"resumed", linear.resumed}});
  return list;
}

} // namespace qopt
