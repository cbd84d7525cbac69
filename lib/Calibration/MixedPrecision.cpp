//===- MixedPrecision.cpp - A precision for every linear under a budget ----------------------===//
#include "qopt/Calibration/MixedPrecision.h"

#include "Candidates.h"

#include "qopt/Dialect/QIR/IR/Outliers.h"
#include "qopt/Dialect/QIR/Transforms/CodedWeights.h"
#include "qopt/Quantization/Allocation.h"

#include "Support/AtomicFile.h"
#include "Support/MappedFile.h"
#include "Support/Memory.h"

#include "mlir/IR/Remarks.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <utility>

using namespace mlir;
using namespace qopt::quantization;
using qrt::Status;

namespace qopt::calibration {

namespace {

class Assignment {
public:
  Assignment(func::FuncOp function, const MixedOptions &options)
      : function(function), options(options) {}

  qrt::Result<MixedReport> run(const TokenTable &tokens);

private:
  Status getScores(const TokenTable &tokens);
  Status findLinears();
  Status fitOutlierCandidates();
  qrt::Result<int64_t> budget() const;
  int64_t fixedBytes() const;
  int64_t alternateBytes() const;
  qrt::Result<Allocation> allocate();
  qrt::Result<Allocation> chooseCritical(const CriticalAllowance &allowance, bool outliers) const;
  std::string reasonFor(size_t unit, size_t choice) const;
  Status markAlternates();
  void apply(const Allocation &allocation);
  void addPareto();
  std::vector<std::vector<PrecisionChoice>> choices() const;
  size_t currentChoice(size_t unit) const;

  func::FuncOp function;
  const MixedOptions &options;
  std::vector<UnitScore> units;
  std::vector<std::vector<qir::LinearOp>> linears; ///< by unit
  int64_t elements = 0;
  MixedReport report;
};

} // namespace

Status Assignment::getScores(const TokenTable &tokens) {
  if (options.assumeScores) {
    QRT_ASSIGN_OR_RETURN(units, assumedScores(function, options.sensitivity));
    return Status::ok();
  }
  if (!options.scoresFile.empty() && llvm::sys::fs::exists(options.scoresFile)) {
    QRT_ASSIGN_OR_RETURN(std::string text, qrt::readFile(options.scoresFile));
    QRT_ASSIGN_OR_RETURN(units, scoresFromJson(text, "'" + options.scoresFile + "'"));
    return fitOutlierCandidates();
  }
  QRT_ASSIGN_OR_RETURN(units, measureSensitivity(function, tokens, options.sensitivity));
  if (options.scoresFile.empty())
    return Status::ok();
  std::string text = scoresToJson(units);
  QRT_ASSIGN_OR_RETURN(qrt::AtomicFile file, qrt::AtomicFile::create(options.scoresFile));
  QRT_RETURN_IF_ERROR(file.write(text.data(), text.size()));
  return file.commit();
}

/// Scores that were measured with other candidates: those with outliers are dropped where they are
/// not wanted, and cannot be made up where they are.
Status Assignment::fitOutlierCandidates() {
  const bool wanted = !options.sensitivity.outlierShares.empty();
  bool found = false;
  for (UnitScore &unit : units)
    llvm::erase_if(unit.candidates, [&](const CandidateScore &candidate) {
      found |= candidate.outliers > 0;
      return candidate.outliers > 0 && !wanted;
    });
  if (wanted && !found && !units.empty())
    return qrt::invalidArgument("'" + options.scoresFile +
                                "' was measured without outliers; give another file for scores");
  return Status::ok();
}

Status Assignment::findLinears() {
  std::map<std::string, std::vector<qir::LinearOp>> byName;
  int64_t calibrated = 0;
  function.walk([&](qir::LinearOp op) {
    if (!qir::isCalibrated(op))
      return;
    byName[weightName(op.getW())].push_back(op);
    ++calibrated;
  });
  for (const UnitScore &unit : units) {
    linears.emplace_back();
    for (const std::string &name : unit.weights) {
      auto it = byName.find(name);
      if (it == byName.end() || it->second.empty())
        return qrt::invalidArgument("the scores are of another model: '" + name +
                                    "' is not to be quantized here");
      linears.back().push_back(it->second.front());
      it->second.erase(it->second.begin());
      --calibrated;
    }
    elements += unit.elements;
    qir::SchemeAttr base = qir::schemeOf(linears.back().front());
    for (const CandidateScore &candidate : unit.candidates) {
      const unsigned bits = candidate.scheme.starts_with("w") ? candidate.scheme[1] - '0' : 16;
      if (candidateScheme(base, bits).toText() != candidate.scheme)
        return qrt::invalidArgument("the scores were measured for other schemes: '" +
                                    unit.weights.front() + "' has " + candidate.scheme + " there");
    }
  }
  if (calibrated != 0)
    return qrt::invalidArgument("the scores are of another model: they lack " +
                                std::to_string(calibrated) + " linears");
  return Status::ok();
}

/// The most that the second weight set can take, whichever linears enter it.
int64_t Assignment::alternateBytes() const {
  if (options.alternates.part)
    return static_cast<int64_t>(2 * *options.alternates.part * static_cast<double>(elements));
  std::vector<int64_t> sizes;
  if (options.allAlternates || options.alternates.count)
    func::FuncOp(function).walk([&](qir::LinearOp linear) {
      if (qir::isCalibrated(linear) || (options.allAlternates && qir::schemeOf(linear).isInt()))
        sizes.push_back(2 * cast<RankedTensorType>(linear.getW().getType()).getNumElements());
    });
  llvm::sort(sizes, std::greater<>());
  if (options.alternates.count && std::cmp_less(*options.alternates.count, sizes.size()))
    sizes.resize(*options.alternates.count);
  return std::accumulate(sizes.begin(), sizes.end(), int64_t(0));
}

/// Bytes of the file that the schemes of calibrated linears do not decide.
int64_t Assignment::fixedBytes() const {
  int64_t bytes = options.reservedBytes + alternateBytes() + (64 << 10);
  llvm::DenseSet<std::pair<Value, Attribute>> seen;
  func::FuncOp(function).walk([&](Operation *op) {
    if (qir::isCalibrated(op))
      return;
    for (OpOperand &operand : op->getOpOperands()) {
      auto type = dyn_cast<RankedTensorType>(operand.get().getType());
      if (!operand.get().getDefiningOp<qir::ConstantOp>() || !type || !type.hasStaticShape())
        continue;
      const bool weight = type.getRank() == 2 && isa<qir::LinearOp, qir::EmbeddingOp>(op);
      qir::SchemeAttr scheme = weight ? qir::schemeOf(op) : qir::SchemeAttr();
      if (!seen.insert({operand.get(), scheme}).second)
        continue;
      const int64_t bits = !scheme || scheme.getFormat() == qir::WeightFormat::F32 ? 32
                           : scheme.isInt() ? scheme.getWeightBits()
                                            : 16;
      bytes += type.getNumElements() * bits / 8;
      if (scheme && scheme.isInt()) // scales and zero points
        bytes += type.getDimSize(0) * 3 *
                 (scheme.getGroupSize() ? type.getDimSize(1) / scheme.getGroupSize() + 1 : 1);
    }
  });
  return bytes;
}

qrt::Result<int64_t> Assignment::budget() const {
  int64_t bits = INT64_MAX / 4;
  if (options.targetBpw)
    bits = static_cast<int64_t>(*options.targetBpw * static_cast<double>(elements));
  for (const std::optional<int64_t> &bytes : {options.targetBytes, options.fitFileBytes})
    if (bytes)
      bits = std::min(bits, 8 * (*bytes - fixedBytes()));
  return bits;
}

std::vector<std::vector<PrecisionChoice>> Assignment::choices() const {
  std::vector<std::vector<PrecisionChoice>> result;
  for (const UnitScore &unit : units) {
    result.emplace_back();
    for (const CandidateScore &candidate : unit.candidates)
      result.back().push_back({candidate.bits, candidate.kl});
  }
  return result;
}

/// The candidate that the unit's first linear has now.
size_t Assignment::currentChoice(size_t unit) const {
  const std::string now = qir::schemeOf(linears[unit].front()).toText();
  const auto &candidates = units[unit].candidates;
  for (size_t c = 0; c < candidates.size(); ++c)
    if (candidates[c].scheme == now && candidates[c].outliers == 0)
      return c;
  return candidates.size() - 1;
}

qrt::Result<Allocation> Assignment::allocate() {
  QRT_ASSIGN_OR_RETURN(int64_t bits, budget());
  auto found = allocatePrecision(choices(), bits);
  if (found)
    return found;
  int64_t least = 0;
  for (const UnitScore &unit : units)
    least += unit.candidates.front().bits;
  std::string text = llvm::formatv("the smallest precisions take {0:f3} bits per weight",
                                   static_cast<double>(least) / static_cast<double>(elements));
  if (options.targetBytes || options.fitFileBytes)
    text += " and make a file of about " + qrt::formatBytes(fixedBytes() + least / 8);
  return Status::error(qrt::StatusCode::TargetUnreachable, text + "; the target is below that");
}

/// Current schemes, except for what is worth its f16, or outliers in f16. Prices are the weights
/// that are kept.
qrt::Result<Allocation> Assignment::chooseCritical(const CriticalAllowance &allowance,
                                                   bool outliers) const {
  std::vector<std::vector<PrecisionChoice>> options;
  std::vector<std::vector<size_t>> candidateOf;
  for (size_t u = 0; u < units.size(); ++u) {
    const auto &candidates = units[u].candidates;
    const size_t current = currentChoice(u), full = candidates.size() - 1;
    const int64_t price =
        allowance.count ? static_cast<int64_t>(linears[u].size()) : units[u].elements;
    options.push_back({{1, candidates[current].kl}});
    candidateOf.push_back({current});
    for (size_t c = 0; c < full && outliers; ++c)
      if (candidates[c].outliers > 0 && candidates[c].scheme == candidates[current].scheme) {
        const double part = candidates[c].outliers * static_cast<double>(price);
        options.back().push_back({1 + static_cast<int64_t>(std::ceil(part)), candidates[c].kl});
        candidateOf.back().push_back(c);
      }
    options.back().push_back({1 + price, candidates[full].kl});
    candidateOf.back().push_back(full);
  }
  const int64_t limit = allowance.count
                            ? *allowance.count
                            : static_cast<int64_t>(*allowance.part * static_cast<double>(elements));
  QRT_ASSIGN_OR_RETURN(Allocation found,
                       allocatePrecision(options, static_cast<int64_t>(units.size()) + limit));
  for (size_t u = 0; u < units.size(); ++u)
    found.choice[u] = candidateOf[u][found.choice[u]];
  return found;
}

/// Why a unit keeps weights in f16, with what the other way to do so would give.
std::string Assignment::reasonFor(size_t u, size_t choice) const {
  const UnitScore &unit = units[u];
  const CandidateScore &before = unit.candidates[currentChoice(u)], &full = unit.candidates.back();
  const CandidateScore &chosen = unit.candidates[choice];
  const double part = 100.0 * static_cast<double>(unit.elements) / static_cast<double>(elements);
  if (chosen.outliers == 0)
    return llvm::formatv("{0:e2} of a predicted {1} of {2:e2} at {3}, for {4:f2} % of the weights",
                         before.kl, unit.probed ? "KL" : "error", report.klUniform, before.scheme,
                         part);
  auto perKib = [&](const CandidateScore &to) {
    return (before.kl - to.kl) / (static_cast<double>(to.bits - before.bits) / 8192);
  };
  std::string text =
      llvm::formatv("{0:f2} % of its weights in f16 beside the codes", 100 * chosen.outliers);
  if (chosen.bits > before.bits && full.bits > before.bits)
    text += llvm::formatv(" save {0:e2} per KiB, f16 for all {1:e2}", perKib(chosen), perKib(full));
  return text;
}

void Assignment::apply(const Allocation &allocation) {
  int64_t bits = 0;
  for (size_t u = 0; u < units.size(); ++u)
    report.klUniform += units[u].candidates[currentChoice(u)].kl;
  for (size_t u = 0; u < units.size(); ++u) {
    const CandidateScore &chosen = units[u].candidates[allocation.choice[u]];
    const bool critical = allocation.choice[u] + 1 == units[u].candidates.size();
    const std::string reason =
        critical || chosen.outliers > 0 ? reasonFor(u, allocation.choice[u]) : std::string();
    for (qir::LinearOp linear : linears[u]) {
      const unsigned width = critical ? 16 : chosen.scheme[1] - '0';
      linear.setSchemeAttr(candidateScheme(qir::schemeOf(linear), width));
      if (critical)
        linear->setAttr("qir.critical",
                        qir::CriticalAttr::get(linear.getContext(),
                                               StringAttr::get(linear.getContext(), reason)));
      if (chosen.outliers > 0)
        linear->setAttr(qir::outlierShareAttr, Builder(linear).getF64FloatAttr(chosen.outliers));
      remark::passed(linear.getW().getLoc(), remark::RemarkOpts::name("scheme").category("mixed"))
          << chosen.scheme << ": " << reason + llvm::formatv(" predicted {0:e2}", chosen.kl).str();
    }
    bits += chosen.bits;
    report.kl += chosen.kl;
    report.probed = units[u].probed;
    report.units.push_back(
        {units[u].weights,
         chosen.scheme + (chosen.outliers > 0
                              ? llvm::formatv("+{0:f1}%", 100 * chosen.outliers).str()
                              : std::string()),
         static_cast<double>(chosen.bits) / static_cast<double>(units[u].elements), chosen.kl});
  }
  report.bitsPerWeight = static_cast<double>(bits) / static_cast<double>(elements);
  report.lowerBound = allocation.lowerBound;
}

/// Of the linears that are to be quantized, those whose full precision is worth most.
Status Assignment::markAlternates() {
  QRT_ASSIGN_OR_RETURN(Allocation found, chooseCritical(options.alternates, false));
  for (size_t u = 0; u < units.size(); ++u) {
    if (found.choice[u] + 1 != units[u].candidates.size())
      continue;
    for (qir::LinearOp linear : linears[u]) {
      if (!qir::schemeOf(linear).isInt())
        continue;
      if (failed(qir::markAlternate(linear)))
        return qrt::invalidModel("'" + weightName(linear.getW()) +
                                 "': expects a readable float weight");
      report.alternates.push_back(weightName(linear.getW()));
      remark::passed(linear.getW().getLoc(),
                     remark::RemarkOpts::name("alternate").category("mixed"))
          << report.alternates.back();
    }
  }
  if (report.alternates.empty())
    return qrt::invalidArgument("the share of critical linears holds none of them; the smallest "
                                "unit that is to be quantized is larger");
  return Status::ok();
}

/// What other budgets give, in steps of a quarter of a bit up to 5, then of a bit; each point once.
void Assignment::addPareto() {
  const int64_t fixed = fixedBytes();
  for (double target = 2.0; target <= 16; target += target < 5 ? 0.25 : 1) {
    auto found =
        allocatePrecision(choices(), static_cast<int64_t>(target * static_cast<double>(elements)));
    if (!found)
      continue;
    const double bits = static_cast<double>(found->bits) / static_cast<double>(elements);
    if (report.pareto.empty() || found->cost < report.pareto.back().kl)
      report.pareto.push_back({bits, found->cost, fixed + found->bits / 8});
  }
}

qrt::Result<MixedReport> Assignment::run(const TokenTable &tokens) {
  QRT_RETURN_IF_ERROR(getScores(tokens));
  QRT_RETURN_IF_ERROR(findLinears());
  if (units.empty() && options.alternates.isSet())
    return qrt::invalidArgument("a second weight set has no effect: no linear is quantized");
  if (units.empty())
    return report;
  if (options.mixes()) {
    QRT_ASSIGN_OR_RETURN(Allocation allocation, options.critical.isSet()
                                                    ? chooseCritical(options.critical, true)
                                                    : allocate());
    addPareto();
    apply(allocation);
  }
  if (options.alternates.isSet())
    QRT_RETURN_IF_ERROR(markAlternates());
  return std::move(report);
}

qrt::Result<MixedReport> assignMixed(func::FuncOp function, const TokenTable &tokens,
                                     const MixedOptions &options) {
  return Assignment(function, options).run(tokens);
}

} // namespace qopt::calibration
