//===- MarkerTableJson.cpp - The MARKERS section ----------------------------------------------===//
#include "Reasoning/Markers.h"
#include "Support/Json.h"

#include <algorithm>
#include <cmath>

namespace qrt {

/// As people write it, 1.22 instead of 1.2200000286.
static double rounded(float value) { return std::round(double(value) * 1e4) / 1e4; }

Result<MarkerTable> parseMarkerTable(std::string_view json, int32_t vocabSize) {
  auto bad = [](const std::string &why) { return invalidModel("marker table: " + why); };
  auto parsed = parseJson(json, "marker table", 16);
  if (!parsed)
    return invalidModel(parsed.status().message());
  const Json &root = *parsed;
  if (!root.is_object() || jsonInt(root, "version") != 1)
    return bad("\"version\" is not 1");
  auto tokens = root.find("tokens");
  if (tokens == root.end() || !tokens->is_array())
    return bad("\"tokens\" is not an array");
  MarkerTable table;
  table.name = jsonString(root, "name").value_or("model");
  if (root.contains("strength")) {
    auto strength = jsonNumber(root, "strength");
    if (!strength || !(*strength >= 0 && *strength <= 100))
      return bad("\"strength\" is not a number in [0, 100]");
    table.strength = float(*strength);
  }
  for (const Json &entry : *tokens) {
    const std::string at = "entry " + std::to_string(table.markers.size());
    if (!entry.is_object())
      return bad(at + " is not an object");
    auto id = jsonInt(entry, "id");
    auto strength = jsonNumber(entry, "strength");
    if (!id || *id < 0 || *id >= vocabSize)
      return bad(at + ": \"id\" is not a token of the vocabulary");
    if (!strength || !std::isfinite(*strength) || std::fabs(*strength) > 100)
      return bad(at + ": \"strength\" is not a number in [-100, 100]");
    table.markers.push_back({int32_t(*id), jsonString(entry, "text").value_or(""), float(*strength),
                             jsonBool(entry, "line_start").value_or(false)});
  }
  std::sort(table.markers.begin(), table.markers.end(),
            [](const Marker &a, const Marker &b) { return a.token < b.token; });
  for (size_t i = 1; i < table.markers.size(); ++i)
    if (table.markers[i].token == table.markers[i - 1].token)
      return bad("token " + std::to_string(table.markers[i].token) + " occurs twice");
  if (table.markers.empty())
    return bad("\"tokens\" is empty");
  return table;
}

std::string markerTableJson(const MarkerTable &table, const std::string &source) {
  OrderedJson root;
  root["version"] = 1;
  root["name"] = table.name;
  root["source"] = source;
  if (table.strength)
    root["strength"] = rounded(*table.strength);
  root["tokens"] = OrderedJson::array();
  for (const Marker &m : table.markers) {
    OrderedJson entry;
    entry["id"] = m.token;
    entry["text"] = m.text;
    entry["strength"] = rounded(m.strength);
    if (m.lineStart)
      entry["line_start"] = true;
    root["tokens"].push_back(std::move(entry));
  }
  return dumpJson(root);
}

} // namespace qrt
