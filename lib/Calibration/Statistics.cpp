//===- Statistics.cpp - Moments of activations, read from a file ------------------------------===//
#include "qopt/Calibration/Statistics.h"

#include "Fingerprint.h"
#include "StatisticsLayout.h"

#include "Format/Checksum.h"
#include "Support/Json.h"

#include <cstring>

using namespace mlir;
using qrt::Status;
using qrt::StatusCode;

namespace qopt::calibration {

qrt::OrderedJson statisticsFingerprint(func::FuncOp function, const TokenTable &tokens) {
  qrt::OrderedJson json;
  json["model"] = fingerprintWeights(function);
  json["graph"] = fingerprintGraph(function, /*schemes=*/false);
  json["calibration tokens"] = fingerprintTokens(tokens);
  return json;
}

static Status damaged(const std::string &file, const char *what) {
  return Status::error(StatusCode::BadCalibration, "'" + file + "': " + what);
}

/// What of `found` is not as `expected` says.
static std::string differences(const qrt::Json &found, const qrt::OrderedJson &expected,
                               bool compareTokens) {
  std::string text;
  for (const auto &[key, value] : expected.items()) {
    if (key == "calibration tokens" && !compareTokens)
      continue;
    if (!found.is_object() || qrt::jsonString(found, key.c_str()) != value.get<std::string>())
      text += (text.empty() ? "" : ", ") + key;
  }
  return text;
}

qrt::Result<std::shared_ptr<Statistics>> Statistics::open(const std::string &path,
                                                          func::FuncOp function,
                                                          const TokenTable &tokens,
                                                          bool hessiansNeeded) {
  auto made = std::make_shared<Statistics>();
  QRT_ASSIGN_OR_RETURN(made->file, qrt::MappedFile::open(path));
  std::string_view text = made->file.text();
  uint64_t sum = 0;
  if (text.size() < sizeof(sum))
    return damaged(path, "holds no statistics of qopt");
  std::memcpy(&sum, text.data() + text.size() - sizeof(sum), sizeof(sum));
  text.remove_suffix(sizeof(sum));
  if (sum != qrt::Checksum::of({reinterpret_cast<const uint8_t *>(text.data()), text.size()}))
    return damaged(path, "holds no statistics of qopt, or is damaged");
  const size_t line = text.find('\n');
  auto header = qrt::parseJson(text.substr(0, line), "'" + path + "'");
  if (line == std::string_view::npos || !header || !header->is_object() ||
      qrt::jsonInt(*header, "qopt_statistics") != statisticsVersion ||
      !header->contains("groups") || !(*header)["groups"].is_array() ||
      !header->contains("fingerprint"))
    return damaged(path, "holds no statistics of this version of qopt");
  made->hasHessians = qrt::jsonBool(*header, "hessians").value_or(false);
  made->tokenCount = qrt::jsonInt(*header, "tokens").value_or(0);
  size_t offset = line + 1;
  for (const qrt::Json &group : (*header)["groups"]) {
    Place place;
    place.features = group.is_object() ? qrt::jsonInt(group, "features").value_or(0) : 0;
    place.offset = offset;
    // 2^20 features: their Hessian alone would take terabytes.
    if (place.features <= 0 || place.features > (1 << 20) || !group.contains("weights") ||
        !group["weights"].is_array())
      return damaged(path, "has a malformed group");
    const size_t bytes = groupFloats(place.features, made->hasHessians) * sizeof(float);
    if (bytes > text.size() - offset)
      return damaged(path, "is too short for its groups");
    offset += bytes;
    for (const qrt::Json &name : group["weights"])
      if (name.is_string()) { // a weight of two inputs cannot be told apart by its name
        auto [it, fresh] = made->byWeight.emplace(name.get<std::string>(), made->places.size());
        it->second = fresh || it->second == made->places.size() ? it->second : SIZE_MAX;
      }
    made->places.push_back(std::move(place));
  }
  const std::string differing = differences(
      (*header)["fingerprint"], statisticsFingerprint(function, tokens), tokens.tokens() > 0);
  if (!differing.empty())
    return Status::error(StatusCode::ResumeMismatch,
                         "'" + path + "' has statistics of another run (different: " + differing +
                             "); give --stats another name");
  if (hessiansNeeded && !made->hasHessians)
    return Status::error(StatusCode::ResumeMismatch,
                         "'" + path +
                             "' has mean squares only, of a run with --algo scale; this "
                             "one needs Hessians: give --stats another name");
  return made;
}

qrt::Result<const Statistics::Place *> Statistics::find(const LinearGroup &group) const {
  const std::string name = weightName(qir::LinearOp(group.linears.front()).getW());
  auto it = byWeight.find(name);
  if (it == byWeight.end() || it->second == SIZE_MAX ||
      places[it->second].features != group.features)
    return Status::error(StatusCode::ResumeMismatch,
                         "the statistics have nothing about the input of '" + name + "'");
  return &places[it->second];
}

qrt::Result<Statistics::Moments> Statistics::of(const LinearGroup &group, bool hessian) const {
  QRT_ASSIGN_OR_RETURN(const Place *place, find(group));
  const int64_t k = place->features;
  Moments moments;
  const uint8_t *from = file.data() + place->offset;
  auto take = [&](float *out, int64_t count) {
    std::memcpy(out, from, count * sizeof(float));
    from += count * sizeof(float);
  };
  for (std::vector<float> *list : {&moments.meanAbs, &moments.maxAbs, &moments.meanSquares}) {
    list->resize(k);
    take(list->data(), k);
  }
  const std::vector<double> &s = place->divisors;
  for (int64_t j = 0; j < k && !s.empty(); ++j) {
    moments.meanAbs[j] = static_cast<float>(moments.meanAbs[j] / s[j]);
    moments.maxAbs[j] = static_cast<float>(moments.maxAbs[j] / s[j]);
    moments.meanSquares[j] = static_cast<float>(moments.meanSquares[j] / (s[j] * s[j]));
  }
  if (!hessian)
    return moments;
  std::vector<float> &h = moments.hessian;
  h.resize(k * k);
  for (int64_t i = 0; i < k; ++i) {
    take(h.data() + i * k, i + 1);
    for (int64_t j = 0; j <= i; ++j) {
      if (!s.empty())
        h[i * k + j] = static_cast<float>(h[i * k + j] / (s[i] * s[j]));
      h[j * k + i] = h[i * k + j];
    }
  }
  return moments;
}

void Statistics::divide(const LinearGroup &group, std::span<const float> s) {
  auto place = find(group);
  if (!place)
    return; // of() says so
  Place &own = places[*place - places.data()];
  own.divisors.resize(own.features, 1.0);
  for (int64_t j = 0; j < own.features; ++j)
    own.divisors[j] *= s[j];
}

} // namespace qopt::calibration
