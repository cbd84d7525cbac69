//===- Report.cpp - What qopt says at the end ------------------------------------------------===//
#include "Report.h"

#include "LinearTable.h"
#include "SchemeTotals.h"

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
  printSchemeTotals(report.tensors, os);
  if (report.fitNeed)
    printFit(*report.fitNeed, report.fitContext, os);
  if (report.gate)
    os << format("  gate: KL %.6f, top-1 agreement %.4f over %lld tokens of the calibration data\n",
                 report.gate->klMean, report.gate->top1, (long long)report.gate->tokens);
  const calibration::TokenWeightCounts &counts = report.weightCounts;
  if (counts.markers || counts.endOfThink || counts.entropy)
    os << "  positions that count more: " << counts.markers << " before markers, "
       << counts.endOfThink << " before the end of thinking, " << counts.entropy
       << " of high entropy, of " << report.calibrationTokens << "\n";
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
  json["schemes"] = schemeTotalsJson(report.tensors);
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
    json["weighted_positions"] = {{"marker", report.weightCounts.markers},
                                  {"end_of_think", report.weightCounts.endOfThink},
                                  {"entropy", report.weightCounts.entropy}};
  }
  if (report.fitNeed)
    json["fit"] = fitJson(*report.fitNeed, report.fitContext);
  if (report.gate)
    json["gate"] = {{"kl_mean", report.gate->klMean},
                    {"top1", report.gate->top1},
                    {"tokens", report.gate->tokens},
                    {"passed", report.gateStatus.isOk()}};
  if (!report.awqGroups.empty())
    json["awq"] = scalesJson(report.awqGroups);
  if (!report.smoothGroups.empty())
    json["smooth"] = scalesJson(report.smoothGroups);
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
