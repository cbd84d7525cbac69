//===- EvalKept.cpp - Arms of qrun eval that outlive the command -----------------------------===//
#include "EvalKept.h"

#include "GenerationSummary.h"

#include "Format/Checksum.h"
#include "Support/AtomicFile.h"
#include "Support/MappedFile.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

namespace qrt {
namespace {

std::string hexadecimal(uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

std::string digestOf(std::string_view text) {
  return hexadecimal(Checksum::of({reinterpret_cast<const uint8_t *>(text.data()), text.size()}));
}

OrderedJson traceJson(const Trace &t) {
  const OrderedJson all = countersJson(t.counters);
  OrderedJson counters = OrderedJson::object();
  for (const auto &[name, count] : all.items())
    if (count != 0)
      counters[name] = count;
  return {{"task", t.task},
          {"seed", t.seed},
          {"think_tokens", t.thinkTokens},
          {"tokens", t.tokens},
          {"correct", t.correct},
          {"think_closed", t.thinkClosed},
          {"cap", t.cap},
          {"exact_loop", t.exactLoop},
          {"explicit_loop", t.explicitLoop},
          {"answer_seen", t.answerSeen},
          {"lost", t.lost},
          {"time_to_first_answer", t.timeToFirstAnswer},
          {"steps", t.steps},
          {"markers", t.markers},
          {"step_repetition", t.stepRepetition},
          {"finish", t.finish},
          {"counters", std::move(counters)}};
}

Trace traceFrom(const Json &j) {
  Trace t;
  j.at("task").get_to(t.task);
  j.at("seed").get_to(t.seed);
  j.at("think_tokens").get_to(t.thinkTokens);
  j.at("tokens").get_to(t.tokens);
  j.at("correct").get_to(t.correct);
  j.at("think_closed").get_to(t.thinkClosed);
  j.at("cap").get_to(t.cap);
  j.at("exact_loop").get_to(t.exactLoop);
  j.at("explicit_loop").get_to(t.explicitLoop);
  j.at("answer_seen").get_to(t.answerSeen);
  j.at("lost").get_to(t.lost);
  j.at("time_to_first_answer").get_to(t.timeToFirstAnswer);
  j.at("steps").get_to(t.steps);
  j.at("markers").get_to(t.markers);
  j.at("step_repetition").get_to(t.stepRepetition);
  j.at("finish").get_to(t.finish);
  t.counters = countersFrom(j.at("counters"));
  return t;
}

/// Throws what nlohmann::json throws where a member is missing or of another type.
ArmResult armFrom(const Json &json) {
  ArmResult arm;
  json.at("seeds").get_to(arm.seeds);
  json.at("seconds").get_to(arm.seconds);
  json.at("tokens_per_second").get_to(arm.tokensPerSecond);
  for (const Json &trace : json.at("traces"))
    arm.traces.push_back(traceFrom(trace));
  for (const Json &text : json.at("texts")) {
    TokenRow row;
    text.at("ids").get_to(row.ids);
    row.scored.assign(row.ids.size(), true);
    std::fill_n(row.scored.begin(), std::min(text.at("prompt").get<size_t>(), row.ids.size()),
                false);
    arm.texts.push_back(std::move(row));
  }
  return arm;
}

} // namespace

Result<std::string> fileDigest(const std::string &path) {
  QRT_ASSIGN_OR_RETURN(MappedFile file, MappedFile::open(path));
  return hexadecimal(Checksum::of(file.bytes()));
}

std::string tasksDigest(const std::vector<Task> &tasks) {
  OrderedJson all = OrderedJson::array();
  for (const Task &task : tasks)
    all.push_back({task.prompt, task.messages, task.ids, task.answer, int(task.checker)});
  return digestOf(dumpJson(all));
}

Result<KeptArms> KeptArms::open(const std::string &folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    return Status::error(StatusCode::CannotWrite, "'" + folder + "': " + error.message());
  KeptArms kept;
  kept.folder = folder;
  return kept;
}

std::string KeptArms::pathOf(const OrderedJson &key) const {
  return (std::filesystem::path(folder) / ("arm-" + digestOf(dumpJson(key)) + ".json")).string();
}

std::optional<ArmResult> KeptArms::find(const OrderedJson &key) const {
  const std::string path = pathOf(key);
  auto text = readFile(path);
  if (!text)
    return std::nullopt;
  auto json = parseJson(*text, "'" + path + "'");
  if (!json || !json->is_object() || dumpJson(json->value("key", Json())) != dumpJson(Json(key)))
    return std::nullopt;
  try {
    return armFrom(*json);
  } catch (const Json::exception &) {
    return std::nullopt;
  }
}

Status KeptArms::keep(const OrderedJson &key, const ArmResult &arm) const {
  OrderedJson json{{"key", key},
                   {"seeds", arm.seeds},
                   {"seconds", arm.seconds},
                   {"tokens_per_second", arm.tokensPerSecond},
                   {"traces", OrderedJson::array()},
                   {"texts", OrderedJson::array()}};
  for (const Trace &trace : arm.traces)
    json["traces"].push_back(traceJson(trace));
  for (const TokenRow &row : arm.texts)
    json["texts"].push_back(
        {{"prompt", std::count(row.scored.begin(), row.scored.end(), false)}, {"ids", row.ids}});
  const std::string text = dumpJson(json);
  QRT_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::create(pathOf(key)));
  QRT_RETURN_IF_ERROR(file.write(text.data(), text.size()));
  return file.commit();
}

} // namespace qrt
