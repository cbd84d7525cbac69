//===- PlanReport.cpp - What --dry-run says --------------------------------------------------===//
#include "PlanReport.h"

#include "SchemeTotals.h"

#include "Support/Memory.h"

#include "llvm/Support/Format.h"

using namespace llvm;

namespace qopt {

static std::string shapeText(const qrt::TensorEntry &tensor) {
  std::string text;
  for (int64_t dim : tensor.shape)
    text += (text.empty() ? "" : "x") + std::to_string(dim);
  return text;
}

static double bitsPerWeight(const qrt::TensorEntry &tensor) {
  const int64_t elements = elementsOf(tensor);
  return elements ? 8.0 * double(bytesOf(tensor)) / double(elements) : 0;
}

void printPlan(const CompilePlan &plan, raw_ostream &os) {
  os << plan.modelFile << ": " << plan.programKind << " program; nothing was written\n";
  for (const qrt::TensorEntry &tensor : plan.tensors)
    if (tensor.packed)
      os << "  " << left_justify(tensor.scheme, 18) << left_justify(shapeText(tensor), 14)
         << format("%12lld bytes %7.3f bits  ", (long long)bytesOf(tensor), bitsPerWeight(tensor))
         << tensor.name << "\n";
  printSchemeTotals(plan.tensors, os);
  if (plan.fitNeed)
    printFit(*plan.fitNeed, plan.fitContext, os);
  if (plan.mixAssumed)
    os << "  schemes are a guess: what each linear gets is decided by a measurement that was not "
          "made\n";
  if (!plan.notRaised.empty())
    os << "  not raised, runs op by op: " << plan.notRaised << "\n";
  if (plan.calibrationTokens)
    os << "  calibration: " << plan.calibratedLinears << " linears on " << plan.calibrationTokens
       << " tokens\n";
  os << "  file: " << qrt::formatBytes(plan.fileBytes) << "\n"
     << "  peak memory: about " << qrt::formatBytes(plan.peakBytes) << " (" << plan.memoryBasis
     << ")\n"
     << format("  time: about %.1f s (", plan.seconds) << plan.timeBasis << ")\n";
}

void printPlanJson(const CompilePlan &plan, raw_ostream &os) {
  qrt::OrderedJson json;
  json["version"] = 1; // of this layout
  json["dry_run"] = true;
  json["source"] = plan.modelFile;
  json["program"] = plan.programKind;
  json["not_raised"] = plan.notRaised;
  json["file_bytes"] = plan.fileBytes;
  json["schemes"] = schemeTotalsJson(plan.tensors);
  json["schemes_assumed"] = plan.mixAssumed;
  qrt::OrderedJson &tensors = json["tensors"] = qrt::OrderedJson::array();
  for (const qrt::TensorEntry &tensor : plan.tensors)
    tensors.push_back({{"name", tensor.name},
                       {"shape", tensor.shape},
                       {"scheme", tensor.scheme},
                       {"packed", tensor.packed},
                       {"bytes", bytesOf(tensor)},
                       {"bits_per_weight", bitsPerWeight(tensor)}});
  if (plan.fitNeed)
    json["fit"] = fitJson(*plan.fitNeed, plan.fitContext);
  json["calibration_tokens"] = plan.calibrationTokens;
  json["calibrated_linears"] = plan.calibratedLinears;
  json["peak_bytes"] = plan.peakBytes;
  json["peak_bytes_basis"] = plan.memoryBasis;
  json["seconds"] = plan.seconds;
  json["seconds_basis"] = plan.timeBasis;
  os << qrt::dumpJson(json, 2) << "\n";
}

} // namespace qopt
