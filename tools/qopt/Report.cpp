//===- Report.cpp - What qopt says at the end ------------------------------------------------===//
#include "Report.h"

#include "LinearTable.h"

#include "Support/AtomicFile.h"
#include "Support/Json.h"
#include "Support/Memory.h"

#include "llvm/Support/Format.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <sys/resource.h>

using namespace llvm;

namespace qopt {

namespace {

/// Tensors of one scheme together.
struct SchemeTotal {
  int64_t tensors = 0, elements = 0, bytes = 0;
  double bitsPerWeight() const { return elements ? 8.0 * bytes / elements : 0; }
};

int64_t elementsOf(const qrt::TensorEntry &tensor) {
  int64_t count = 1;
  for (int64_t dim : tensor.shape)
    count *= dim;
  return count;
}

int64_t bytesOf(const qrt::TensorEntry &tensor) {
  return static_cast<int64_t>(tensor.dataBytes + tensor.scalesBytes + tensor.zeroPointsBytes);
}

/// By scheme; the sum of matrices under "". Vectors do not count as weights.
std::map<std::string, SchemeTotal> totals(const CompileReport &report) {
  std::map<std::string, SchemeTotal> result;
  for (const qrt::TensorEntry &tensor : report.tensors) {
    std::string scheme =
        tensor.packed ? tensor.scheme : "vectors and constants (" + tensor.scheme + ")";
    for (const std::string &key : {scheme, std::string()}) {
      if (key.empty() && !tensor.packed)
        continue;
      SchemeTotal &total = result[key];
      ++total.tensors;
      total.elements += elementsOf(tensor);
      total.bytes += bytesOf(tensor);
    }
  }
  return result;
}

std::vector<const qrt::TensorEntry *> worstTensors(const CompileReport &report, size_t count) {
  std::vector<const qrt::TensorEntry *> measured;
  for (const qrt::TensorEntry &tensor : report.tensors)
    if (!std::isnan(tensor.rmsError))
      measured.push_back(&tensor);
  std::stable_sort(measured.begin(), measured.end(),
                   [](auto *a, auto *b) { return a->rmsError > b->rmsError; });
  measured.resize(std::min(count, measured.size()));
  return measured;
}

int64_t peakResidentBytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t(usage.ru_maxrss) * 1024;
}

double totalSeconds(const CompileReport &report) {
  double sum = 0;
  for (const auto &[stage, seconds] : report.stageSeconds)
    sum += seconds;
  return sum;
}

} // namespace

void printReport(const CompileReport &report, const std::string &output, raw_ostream &os) {
  os << output << ": " << report.programKind << " program, " << qrt::formatBytes(report.fileBytes)
     << "\n";
  std::map<std::string, SchemeTotal> schemes = totals(report);
  for (const auto &[scheme, total] : schemes) {
    bool all = scheme.empty();
    os << "  " << left_justify(all ? "all weights" : scheme, 32)
       << format("%6lld tensors  %7.3f bits per weight  ", (long long)total.tensors,
                 total.bitsPerWeight())
       << qrt::formatBytes(total.bytes) << "\n";
  }
  if (report.gate)
    os << format("  gate: KL %.6f, top-1 agreement %.4f over %lld tokens of the calibration data\n",
                 report.gate->klMean, report.gate->top1, (long long)report.gate->tokens);
  printMix(report.mix, os);
  printLinearSummary(report.linears, os);
  for (const qrt::TensorEntry *tensor : worstTensors(report, 5))
    os << "  worst: " << format("%.5f", tensor->rmsError) << " relative RMS error  "
       << tensor->scheme << "  " << tensor->name << "\n";
  if (!report.notRaised.empty())
    os << "  not raised, runs op by op: " << report.notRaised << "\n";
  if (!report.verification.empty())
    os << "  verification: " << report.verification << "\n";
  os << format("  %.2f s", totalSeconds(report)) << " (";
  bool first = true;
  for (const auto &[stage, seconds] : report.stageSeconds) {
    os << (first ? "" : ", ") << stage << format(" %.2f", seconds);
    first = false;
  }
  os << "), peak memory " << qrt::formatBytes(peakResidentBytes()) << "\n";
}

void printReportJson(const CompileReport &report, const std::string &output, raw_ostream &os) {
  qrt::OrderedJson json;
  json["version"] = 1; // of this report's layout
  json["output"] = output;
  json["source"] = report.modelFile;
  json["program"] = report.programKind;
  json["file_bytes"] = report.fileBytes;
  json["verification"] = report.verification;
  json["not_raised"] = report.notRaised;
  json["sidecars"] = report.sidecars;
  qrt::OrderedJson &schemes = json["schemes"] = qrt::OrderedJson::array();
  for (const auto &[scheme, total] : totals(report))
    schemes.push_back({{"scheme", scheme.empty() ? "all weights" : scheme},
                       {"tensors", total.tensors},
                       {"bits_per_weight", total.bitsPerWeight()},
                       {"bytes", total.bytes}});
  qrt::OrderedJson &tensors = json["tensors"] = qrt::OrderedJson::array();
  for (const qrt::TensorEntry &tensor : report.tensors) {
    qrt::OrderedJson entry = {{"name", tensor.name},
                              {"shape", tensor.shape},
                              {"scheme", tensor.scheme},
                              {"bytes", bytesOf(tensor)}};
    entry["rms_error"] =
        std::isnan(tensor.rmsError) ? qrt::OrderedJson() : qrt::OrderedJson(tensor.rmsError);
    tensors.push_back(std::move(entry));
  }
  if (!report.linears.empty()) {
    json["calibration_tokens"] = report.calibrationTokens;
    json["linears"] = linearsJson(report.linears);
  }
  if (report.gate)
    json["gate"] = {{"kl_mean", report.gate->klMean},
                    {"top1", report.gate->top1},
                    {"tokens", report.gate->tokens},
                    {"passed", report.gateStatus.isOk()}};
  if (!report.awqGroups.empty())
    json["awq"] = awqJson(report.awqGroups);
  if (!report.mix.units.empty())
    json["mixed"] = mixJson(report.mix);
  qrt::OrderedJson &stages = json["seconds"] = qrt::OrderedJson::object();
  for (const auto &[stage, seconds] : report.stageSeconds)
    stages[stage] = seconds;
  json["peak_resident_bytes"] = peakResidentBytes();
  os << qrt::dumpJson(json, 2) << "\n";
}

qrt::Status writeReport(const CompileReport &report, const std::string &output,
                        const std::string &file) {
  std::string text;
  raw_string_ostream os(text);
  printReportJson(report, output, os);
  QRT_ASSIGN_OR_RETURN(qrt::AtomicFile written, qrt::AtomicFile::create(file));
  QRT_RETURN_IF_ERROR(written.write(text.data(), text.size()));
  return written.commit();
}

} // namespace qopt
