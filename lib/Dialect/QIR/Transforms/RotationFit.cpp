//===- RotationFit.cpp - Solves a sampled feature map for a rotary embedding ------------------===//
// At position 0 a rotation is the identity times the scaling, which tells for every output feature
// its own input feature; the other source of the row is its partner. From the partners follow the
// head size, the number of rotated features and the pairing. The angle of every pair is then
// unwrapped from positions 1, 2, ... to the far ones, each step predicting the next, and all
// samples must agree with scaling * cos(f p), scaling * sin(f p) within the rounding of the graph's
// type.
#include "FeatureMap.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

namespace qopt::qir::raise {
namespace {

/// Coefficients of one output feature at every probed position.
struct Coefficients {
  int64_t own = 0, partner = -1; // as source features, then as output features
  std::vector<double> c, s;      // of own, of partner
  double rounding = 1e-6;
};

std::optional<Coefficients> coefficientsOf(const Row &row, const Tables &tables, size_t origin) {
  size_t count = tables.positions.size();
  struct Entry {
    int64_t source;
    std::vector<double> values;
  };
  std::vector<Entry> entries;
  Coefficients result;
  for (const Term &term : row) {
    auto it = std::find_if(entries.begin(), entries.end(),
                           [&](const Entry &e) { return e.source == term.source; });
    if (it == entries.end()) {
      entries.push_back({term.source, std::vector<double>(count, 0.0)});
      it = entries.end() - 1;
    }
    for (size_t p = 0; p < count; ++p)
      it->values[p] += term.factor * (term.table < 0 ? 1.0 : tables.values[term.table][p]);
    if (term.table >= 0)
      result.rounding = std::max(result.rounding, tables.tolerance[term.table]);
  }
  if (entries.empty() || entries.size() > 2)
    return std::nullopt;
  size_t own = 0;
  if (entries.size() == 2 &&
      std::abs(entries[1].values[origin]) > std::abs(entries[0].values[origin]))
    own = 1;
  result.own = entries[own].source;
  result.c = std::move(entries[own].values);
  if (entries.size() == 2) {
    result.partner = entries[1 - own].source;
    result.s = std::move(entries[1 - own].values);
  }
  return result;
}

/// Rotated features of the head that starts at `head`, or -1 if partners leave the head or do not
/// lie at its start in one of the two pairings.
int64_t rotatedFeatures(const std::vector<Coefficients> &rows, int64_t head, int64_t headDim,
                        bool interleaved) {
  int64_t rotated = 0;
  while (rotated < headDim && rows[head + rotated].partner >= 0)
    ++rotated;
  if (rotated == 0 || rotated % 2 != 0)
    return -1;
  for (int64_t i = rotated; i < headDim; ++i)
    if (rows[head + i].partner >= 0)
      return -1;
  for (int64_t i = 0; i < rotated; ++i) {
    int64_t partner = interleaved ? (i ^ 1) : (i < rotated / 2 ? i + rotated / 2 : i - rotated / 2);
    if (rows[head + i].partner != head + partner)
      return -1;
  }
  return rotated;
}

/// Every head rotates by the same angles. Without this, interleaved pairs would look like heads
/// of 2.
bool sameAngles(const std::vector<Coefficients> &rows, int64_t head, int64_t headDim) {
  for (int64_t i = 0; i < headDim; ++i)
    for (size_t p = 0; p < rows[i].c.size(); ++p)
      if (std::abs(rows[head + i].c[p] - rows[i].c[p]) > 1e-6 + rows[i].rounding)
        return false;
  return true;
}

/// Solves the angle per position; nothing if it is not linear in the position.
std::optional<double> solveFrequency(const Coefficients &low, const std::vector<int64_t> &positions,
                                     const std::vector<size_t> &order) {
  double frequency = 0;
  bool started = false;
  int64_t best = 0;
  for (size_t p : order) {
    int64_t position = positions[p];
    if (position == 0)
      continue;
    double angle = std::atan2(-low.s[p], low.c[p]);
    if (!started) {
      if (position != 1)
        return std::nullopt;
      frequency = angle;
      started = true;
      best = 1;
      continue;
    }
    double turns = std::round((frequency * position - angle) / (2 * M_PI));
    double unwrapped = angle + turns * 2 * M_PI;
    if (std::abs(unwrapped - frequency * position) > 1.0)
      return std::nullopt;
    if (position > best) { // the farther the position, the smaller the error of the quotient
      frequency = unwrapped / position;
      best = position;
    }
  }
  if (!started)
    return std::nullopt;
  return frequency;
}

/// The frequency whose angle was rounded at every position: the mean of angle / position, weighted
/// by the position, over those where no turn can be missed.
std::optional<double> meanFrequency(const Coefficients &low, const std::vector<int64_t> &positions,
                                    const std::vector<size_t> &order) {
  double frequency = 0, sum = 0, weight = 0;
  for (size_t p : order) {
    int64_t position = positions[p];
    if (position == 0)
      continue;
    double angle = std::atan2(-low.s[p], low.c[p]);
    if (weight == 0 && position != 1)
      return std::nullopt;
    if (weight > 0) {
      angle += std::round((frequency * position - angle) / (2 * M_PI)) * 2 * M_PI;
      if (4 * low.rounding * std::abs(angle) > 0.2)
        break;
    }
    sum += angle;
    weight += position;
    frequency = sum / weight;
  }
  if (weight == 0)
    return std::nullopt;
  return frequency;
}

double meanScaling(const std::vector<Coefficients> &rows, int64_t rotated) {
  double sum = 0;
  int64_t count = 0;
  for (int64_t i = 0; i < rotated; ++i)
    for (size_t p = 0; p < rows[i].c.size(); ++p, ++count)
      sum += std::hypot(rows[i].c[p], rows[i].s[p]);
  double scaling = sum / count;
  return std::abs(scaling - 1) < 5e-4 ? 1.0 : static_cast<float>(scaling);
}

} // namespace

static std::optional<Rotation> fit(llvm::ArrayRef<Row> rows, const Tables &tables,
                                   bool roundedAngles, std::string &why) {
  auto origin = std::find(tables.positions.begin(), tables.positions.end(), 0);
  if (origin == tables.positions.end()) {
    why = "position 0 could not be evaluated";
    return std::nullopt;
  }
  size_t originIndex = origin - tables.positions.begin();
  std::vector<Coefficients> parsed;
  std::unordered_map<int64_t, int64_t> outputOf;
  for (const Row &row : rows) {
    std::optional<Coefficients> c = coefficientsOf(row, tables, originIndex);
    if (!c || !outputOf.try_emplace(c->own, parsed.size()).second) {
      why = "a feature is not a rotation of two features";
      return std::nullopt;
    }
    parsed.push_back(std::move(*c));
  }
  Rotation result;
  for (Coefficients &c : parsed) {
    result.inputs.push_back(c.own);
    if (c.partner < 0)
      continue;
    auto it = outputOf.find(c.partner);
    if (it == outputOf.end()) {
      why = "a rotated feature has no partner";
      return std::nullopt;
    }
    c.partner = it->second;
  }

  int64_t width = parsed.size(), rotated = -1;
  for (int64_t headDim = 2; headDim <= width && rotated < 0; ++headDim) {
    if (width % headDim != 0)
      continue;
    for (bool interleaved : {false, true}) {
      int64_t first = rotatedFeatures(parsed, 0, headDim, interleaved);
      if (first < 0)
        continue;
      bool all = true;
      for (int64_t head = headDim; head < width && all; head += headDim)
        all = rotatedFeatures(parsed, head, headDim, interleaved) == first &&
              sameAngles(parsed, head, headDim);
      if (!all)
        continue;
      rotated = first;
      result.headDim = headDim;
      result.interleaved = interleaved;
      break;
    }
  }
  if (rotated < 0) {
    why = "the rotated features are neither halves nor neighbours at the start of each head";
    return std::nullopt;
  }

  result.scaling = meanScaling(parsed, rotated);
  std::vector<size_t> order(tables.positions.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return tables.positions[a] < tables.positions[b]; });
  int64_t pairs = rotated / 2;
  for (int64_t i = 0; i < pairs; ++i) {
    const Coefficients &low = parsed[result.interleaved ? 2 * i : i];
    std::optional<double> frequency = roundedAngles ? meanFrequency(low, tables.positions, order)
                                                    : solveFrequency(low, tables.positions, order);
    if (!frequency) {
      why = "the angle is not linear in the position";
      return std::nullopt;
    }
    result.inverseFrequencies.push_back(static_cast<float>(*frequency));
  }
  for (int64_t g = 0; g < width; ++g) {
    int64_t d = g % result.headDim;
    const Coefficients &row = parsed[g];
    for (size_t p = 0; p < tables.positions.size(); ++p) {
      double wantC = 1, wantS = 0, angle = 0;
      if (d < rotated) {
        int64_t pair = result.interleaved ? d / 2 : d % pairs;
        bool isLow = result.interleaved ? d % 2 == 0 : d < pairs;
        angle = static_cast<double>(result.inverseFrequencies[pair]) * tables.positions[p];
        wantC = result.scaling * std::cos(angle);
        wantS = result.scaling * (isLow ? -std::sin(angle) : std::sin(angle));
      }
      // f32 angles are off by their own rounding, which grows with the angle.
      double relative = roundedAngles ? 4 * row.rounding : 4e-7;
      if (roundedAngles && relative * std::abs(angle) > 0.2)
        continue;
      double tolerance = result.scaling * (4 * row.rounding + relative * std::abs(angle)) + 1e-5;
      double s = row.s.empty() ? 0 : row.s[p];
      if (std::abs(row.c[p] - wantC) > tolerance || std::abs(s - wantS) > tolerance) {
        why =
            "the table differs from a rotation at position " + std::to_string(tables.positions[p]);
        return std::nullopt;
      }
    }
  }
  return result;
}

std::optional<Rotation> fitRotation(llvm::ArrayRef<Row> rows, const Tables &tables,
                                    std::string &why) {
  if (auto rotation = fit(rows, tables, /*roundedAngles=*/false, why))
    return rotation;
  bool half = std::any_of(tables.tolerance.begin(), tables.tolerance.end(),
                          [](double rounding) { return rounding > 1e-4; });
  std::string again;
  return half ? fit(rows, tables, /*roundedAngles=*/true, again) : std::nullopt;
}

} // namespace qopt::qir::raise
