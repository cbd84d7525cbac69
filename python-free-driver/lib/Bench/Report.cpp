//===- Report.cpp - A bench report as JSON and as text ----------------------------------------===//
#include "Bench/Report.h"

#include "Support/Memory.h"

#include <algorithm>
#include <cstdio>

namespace qrt::bench {

static OrderedJson loadJson(const LoadResult &load) {
  OrderedJson json;
  json["load_seconds"] = load.loadSeconds;
  json["first_token_seconds"] = load.firstTokenSeconds;
  return json;
}

OrderedJson toJson(const BenchReport &report) {
  OrderedJson json;
  json["model"] = report.model;
  json["isa"] = report.isa;
  json["threads"] = report.threads;
  json["kv_type"] = report.kvType;
  json["file_bytes"] = report.fileBytes;
  json["weights"] = report.weights;
  json["weight_bytes"] = report.weightBytes;
  json["bits_per_weight"] = report.bitsPerWeight;
  json["step_bytes"] = report.stepBytes;
  json["kv_bytes_per_token"] = report.kvBytesPerToken;
  json["read_bytes_per_second"] = report.readBytesPerSecond;
  json["f32_operations_per_second"] = report.f32PerSecond;
  json["bf16_operations_per_second"] = report.bf16PerSecond;
  json["int8_operations_per_second"] = report.int8PerSecond;
  json["cold"] = loadJson(report.cold);
  json["warm"] = loadJson(report.warm);
  json["cases"] = OrderedJson::array();
  for (const CaseResult &what : report.cases) {
    OrderedJson row;
    row["case"] = what.isDecode ? "decode" : "prefill";
    row["context"] = what.context;
    row["batch"] = what.batch;
    row["tokens"] = what.tokens;
    row["seconds_per_step"] = what.secondsPerStep;
    row["tokens_per_second"] = what.tokensPerSecond;
    row["limit_tokens_per_second"] = what.limitTokensPerSecond;
    row["fraction"] = what.fraction;
    if (what.kvFraction > 0) {
      row["kv_bytes_per_second"] = what.kvBytesPerSecond;
      row["kv_fraction"] = what.kvFraction;
    }
    for (const auto &[name, seconds] : what.profile)
      row["profile"][name] = seconds;
    json["cases"].push_back(std::move(row));
  }
  json["peak_resident_bytes"] = report.peakResidentBytes;
  json["private_bytes"] = report.privateBytes;
  json["arena_bytes"] = report.arenaBytes;
  json["kv_bytes"] = report.kvBytes;
  return json;
}

template <typename... Values>
static void append(std::string &text, const char *format, Values... values) {
  char line[256];
  std::snprintf(line, sizeof line, format, values...);
  text += line;
}

/// What a step of one case spent where, the largest first; the rest is between instructions.
static void appendProfile(std::string &text, const CaseResult &what) {
  std::vector<std::pair<double, std::string>> parts;
  for (const auto &[name, seconds] : what.profile)
    parts.emplace_back(seconds, name);
  std::sort(parts.rbegin(), parts.rend());
  append(text, "%s, context %lld, batch %lld, tokens %lld:\n", what.isDecode ? "decode" : "prefill",
         static_cast<long long>(what.context), static_cast<long long>(what.batch),
         static_cast<long long>(what.tokens));
  for (const auto &[seconds, name] : parts)
    append(text, "  %10.3f ms %5.1f %%  %s\n", seconds * 1e3, 100 * seconds / what.secondsPerStep,
           name.c_str());
}

std::string toText(const BenchReport &report) {
  std::string text = report.model + "\n";
  append(text, "%s, %d threads, KV %s; %s, %.3f bits per weight, %s read per step\n",
         report.isa.c_str(), report.threads, report.kvType.c_str(),
         formatBytes(report.fileBytes).c_str(), report.bitsPerWeight,
         formatBytes(report.stepBytes).c_str());
  append(text, "limits: read %.1f GB/s; f32 %.0f, bf16 %.0f, int8 %.0f Gop/s\n",
         report.readBytesPerSecond * 1e-9, report.f32PerSecond * 1e-9, report.bf16PerSecond * 1e-9,
         report.int8PerSecond * 1e-9);
  append(text, "load: %.1f ms cold, %.1f ms warm; first token after %.1f ms cold, %.1f ms warm\n",
         report.cold.loadSeconds * 1e3, report.warm.loadSeconds * 1e3,
         report.cold.firstTokenSeconds * 1e3, report.warm.firstTokenSeconds * 1e3);
  append(text, "%-8s %8s %6s %7s %10s %12s %12s %9s\n", "case", "context", "batch", "tokens",
         "ms/step", "tokens/s", "limit", "fraction");
  for (const CaseResult &what : report.cases)
    append(text, "%-8s %8lld %6lld %7lld %10.3f %12.1f %12.1f %9.3f\n",
           what.isDecode ? "decode" : "prefill", static_cast<long long>(what.context),
           static_cast<long long>(what.batch), static_cast<long long>(what.tokens),
           what.secondsPerStep * 1e3, what.tokensPerSecond, what.limitTokensPerSecond,
           what.fraction);
  for (const CaseResult &what : report.cases)
    if (what.kvFraction > 0)
      append(text, "keys and values at context %lld: %.1f GB/s, %.2f of the read probe\n",
             static_cast<long long>(what.context), what.kvBytesPerSecond * 1e-9, what.kvFraction);
  for (const CaseResult &what : report.cases)
    if (!what.profile.empty())
      appendProfile(text, what);
  append(text, "memory: peak %s with the mapped file, private %s (arena %s, KV %s)\n",
         formatBytes(report.peakResidentBytes).c_str(), formatBytes(report.privateBytes).c_str(),
         formatBytes(report.arenaBytes).c_str(), formatBytes(report.kvBytes).c_str());
  return text;
}

} // namespace qrt::bench
