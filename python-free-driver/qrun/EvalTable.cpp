//===- EvalTable.cpp - Arms of qrun eval as one table for people -----------------------------===//
#include "EvalTable.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace qrt {
namespace {

double numberAt(const OrderedJson &object, const char *key) {
  auto at = object.find(key);
  return at != object.end() && at->is_number() ? at->get<double>() : NAN;
}

/// "-12.3 % [-15.0, -9.8]"; empty without the member.
std::string changeText(const OrderedJson &arm, const char *key) {
  auto at = arm.find(key);
  if (at == arm.end())
    return "";
  char text[80];
  std::snprintf(text, sizeof text, "%+.1f %% [%+.1f, %+.1f]", 100 * numberAt(*at, "value"),
                100 * numberAt(*at, "low"), 100 * numberAt(*at, "high"));
  return text;
}

void printArm(const std::string &name, const OrderedJson &arm, const OrderedJson *inflation,
              double effectiveSpeed, int width, std::FILE *out) {
  char ratio[32] = "";
  if (inflation)
    std::snprintf(ratio, sizeof ratio, "%.3f", numberAt(*inflation, "value"));
  std::fprintf(out, "%-*s %8.3f %8.1f %7s %8.2f %7.3f %7.3f %7.3f %8.0f %10.0f  %-26s %s\n", width,
               name.c_str(), numberAt(arm.at("accuracy"), "value"), numberAt(arm, "tokens_mean"),
               ratio, numberAt(arm, "markers_per_trace"), numberAt(arm, "loop_rate"),
               numberAt(arm, "lost_rate"), numberAt(arm, "cap_rate"), numberAt(arm, "tokens_per_s"),
               effectiveSpeed, changeText(arm, "tokens_change").c_str(),
               changeText(arm, "accuracy_change").c_str());
}

} // namespace

void printArmTable(const OrderedJson &json, std::FILE *out) {
  const OrderedJson none = OrderedJson::array();
  const OrderedJson &arms = json.contains("comparison") ? json.at("comparison") : none;
  size_t width = 9;
  for (const OrderedJson &arm : arms)
    width = std::max(width, arm.at("name").get_ref<const std::string &>().size());
  std::fprintf(out, "%-*s %8s %8s %7s %8s %7s %7s %7s %8s %10s  %s\n", int(width), "arm",
               "accuracy", "tokens", "ctir_a", "markers", "loops", "lost", "capped", "tok/s",
               "effective", arms.empty() ? "" : "tokens and accuracy against model, 95 %");
  const OrderedJson &two = json.at("arms");
  printArm("reference", two.at("reference"), nullptr, numberAt(two.at("reference"), "tokens_per_s"),
           int(width), out);
  printArm("model", two.at("model"), &json.at("ctir_a"), numberAt(json, "effective_speed"),
           int(width), out);
  for (const OrderedJson &arm : arms)
    printArm(arm.at("name").get<std::string>(), arm, &arm.at("ctir_a"),
             numberAt(arm, "effective_speed"), int(width), out);
}

} // namespace qrt
