//===- EvalPage.cpp - The results of qrun eval as one HTML page ------------------------------===//
#include "EvalPage.h"

#include "Support/AtomicFile.h"
#include "Support/MappedFile.h"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace qrt {
namespace {

constexpr std::string_view page =
#include "EvalPage.inc"
    ;
constexpr std::string_view dataMark = "%DATA%";

OrderedJson finite(double value) { return std::isfinite(value) ? OrderedJson(value) : nullptr; }

/// JSON that cannot end a script block, whatever its strings hold.
std::string embedded(const OrderedJson &value) {
  std::string out;
  for (char c : dumpJson(value)) {
    if (c == '<' || c == '>' || c == '&') {
      // These occur in strings only, where an escape means the same.
      const char *escapes[] = {"\\u003c", "\\u003e", "\\u0026"};
      out += escapes[c == '<' ? 0 : c == '>' ? 1 : 2];
    } else {
      out += c;
    }
  }
  return out;
}

/// A member of a report's entry, kept only if it is a number.
void copyNumber(const OrderedJson &from, const char *key, OrderedJson &to, const char *name) {
  if (auto at = from.find(key); at != from.end() && at->is_number())
    to[name] = *at;
}

} // namespace

Status EvalPage::readCompileReport(const std::string &path) {
  QRT_ASSIGN_OR_RETURN(MappedFile file, MappedFile::open(path));
  QRT_ASSIGN_OR_RETURN(OrderedJson report, parseOrderedJson(file.text(), path));
  auto listOf = [&](const char *key) {
    auto at = report.is_object() ? report.find(key) : report.end();
    return at != report.end() && at->is_array() ? *at : OrderedJson::array();
  };
  OrderedJson layers = OrderedJson::array();
  // A calibrated linear has errors of its output, beside what round to nearest would have made.
  for (const char *key : {"linears", "tensors"}) {
    for (const OrderedJson &entry : listOf(key)) {
      if (!entry.is_object() || !entry.contains("name") || !entry["name"].is_string())
        continue;
      OrderedJson layer{{"name", entry["name"]}};
      if (entry.contains("scheme") && entry["scheme"].is_string())
        layer["scheme"] = entry["scheme"];
      copyNumber(entry, "relative_loss", layer, "error");
      copyNumber(entry, "relative_loss_rtn", layer, "rtn");
      copyNumber(entry, "rms_error", layer, layer.contains("error") ? "weight_error" : "error");
      if (layer.contains("error"))
        layers.push_back(std::move(layer));
    }
    if (!layers.empty()) {
      data["layers"] = {{"source", path},
                        {"what", key == std::string_view("linears")
                                     ? "relative squared error of the output"
                                     : "relative RMS error of the weights"},
                        {"entries", std::move(layers)}};
      return Status::ok();
    }
  }
  return invalidArgument(path + ": no report of qopt --report, or none with errors of layers");
}

void EvalPage::addModels(const std::string &model, const std::string &reference,
                         const Model &judged) {
  data["model"] = model;
  data["reference"] = reference;
  if (data.contains("layers"))
    return;
  OrderedJson layers = OrderedJson::array();
  for (const TensorEntry &tensor : judged.program().tensors)
    if (!std::isnan(tensor.rmsError))
      layers.push_back(
          {{"name", tensor.name}, {"scheme", tensor.scheme}, {"error", tensor.rmsError}});
  data["layers"] = {{"source", model},
                    {"what", "relative RMS error of the weights"},
                    {"entries", std::move(layers)}};
}

void EvalPage::addTasks(const std::vector<Task> &tasks, const ArmResult &reference,
                        const ArmResult &model) {
  const PerTask before = averageSeeds(reference), after = averageSeeds(model);
  OrderedJson &list = data["tasks"] = OrderedJson::array();
  for (size_t t = 0; t < tasks.size(); ++t)
    list.push_back({{"id", tasks[t].id},
                    {"benchmark", tasks[t].benchmark},
                    {"tokens_reference", before.thinkTokens[t]},
                    {"tokens", after.thinkTokens[t]},
                    {"accuracy_reference", before.accuracy[t]},
                    {"accuracy", after.accuracy[t]}});
}

void EvalPage::addPositions(const Comparison &comparison) {
  constexpr size_t most = 5000;
  const size_t count = comparison.kl.size();
  OrderedJson &list = data["positions"] = OrderedJson::array();
  for (size_t i = 0; i < std::min(count, most); ++i) {
    const size_t at = count <= most ? i : i * count / most;
    list.push_back({finite(comparison.entropy[at]), finite(comparison.kl[at])});
  }
}

std::string EvalPage::html(const OrderedJson &results) const {
  OrderedJson all = data;
  all["results"] = results;
  const size_t at = page.find(dataMark);
  std::string out(page.substr(0, at));
  out += embedded(all);
  out += page.substr(at + dataMark.size());
  return out;
}

Status EvalPage::write(const std::string &path, const OrderedJson &results) const {
  const std::string text = html(results);
  QRT_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::create(path));
  QRT_RETURN_IF_ERROR(file.write(text.data(), text.size()));
  return file.commit();
}

} // namespace qrt
