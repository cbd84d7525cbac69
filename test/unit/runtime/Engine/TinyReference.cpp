//===- TinyReference.cpp - The small transformers in plain double loops ----------------------===//
#include "TinyModel.h"

#include <cmath>

namespace qrt::test {

using Row = std::vector<double>;

Row TinyModel::projected(const std::string &name, const Row &x, bool alternate) const {
  const bool second = alternate && weights.count(name + "#fp16");
  const Matrix &w = weights.at(second ? name + "#fp16" : name);
  auto bias = weights.find(name + ".bias");
  Row out(static_cast<size_t>(w.rows));
  for (int64_t n = 0; n < w.rows; ++n) {
    double sum = bias == weights.end() ? 0 : bias->second.data[size_t(n)];
    for (int64_t k = 0; k < w.columns; ++k)
      sum += w.at(n, k) * x[size_t(k)];
    out[size_t(n)] = sum;
  }
  return out;
}

Row TinyModel::normed(const std::string &name, Row x, size_t chunk) const {
  const Matrix &w = weights.at(name);
  for (size_t start = 0; start < x.size(); start += chunk) {
    double mean = 0, square = 0;
    for (size_t i = 0; i < chunk && config.gptStyle; ++i)
      mean += x[start + i] / double(chunk);
    for (size_t i = 0; i < chunk; ++i)
      square += (x[start + i] - mean) * (x[start + i] - mean) / double(chunk);
    for (size_t i = 0; i < chunk; ++i) {
      x[start + i] = (x[start + i] - mean) / std::sqrt(square + 1e-5) * w.data[i];
      if (config.gptStyle)
        x[start + i] += weights.at(name + ".bias").data[i];
    }
  }
  return x;
}

void TinyModel::rotate(Row &x, int64_t position) const {
  const std::vector<double> &inverse = weights.at("inv_freq").data;
  const auto d = size_t(config.headDim), half = inverse.size();
  for (size_t head = 0; head < x.size(); head += d)
    for (size_t i = 0; i < half; ++i) {
      double &a = x[head + (config.interleavedRope ? 2 * i : i)];
      double &b = x[head + (config.interleavedRope ? 2 * i + 1 : i + half)];
      double c = config.ropeScaling * std::cos(double(position) * inverse[i]);
      double s = config.ropeScaling * std::sin(double(position) * inverse[i]);
      double rotated = a * c - b * s;
      b = b * c + a * s;
      a = rotated;
    }
}

/// Dense: every feature of a block with every other one.
void TinyModel::transform(Row &x) const {
  const auto block = size_t(config.hadamardBlock), order = size_t(config.hadamardBase),
             inner = block / order;
  const Row from = x;
  for (size_t first = 0; first < x.size(); first += block)
    for (size_t to = 0; to < block; ++to) {
      double sum = 0;
      for (size_t i = 0; i < block; ++i) {
        const double base =
            order == 1 ? 1 : weights.at("base").at(int64_t(i / inner), int64_t(to / inner));
        const bool odd = __builtin_parityll(i % inner & to % inner);
        sum += base * (odd ? -from[first + i] : from[first + i]);
      }
      x[first + to] = sum / std::sqrt(double(block));
    }
}

static void add(Row &x, const Row &y) {
  for (size_t i = 0; i < x.size(); ++i)
    x[i] += y[i];
}

static double softcapped(double x, double cap) { return cap > 0 ? cap * std::tanh(x / cap) : x; }

std::vector<Row> TinyModel::reference(const std::vector<int32_t> &tokens,
                                      const std::vector<bool> &alternate) const {
  auto second = [&](size_t t) { return t < alternate.size() && alternate[t]; };
  const auto hidden = size_t(config.hidden), d = size_t(config.headDim);
  const auto heads = size_t(config.heads), kvHeads = size_t(config.kvHeads);
  std::vector<Row> x;
  for (size_t t = 0; t < tokens.size(); ++t) {
    Row row(hidden);
    for (size_t i = 0; i < hidden; ++i)
      row[i] = config.gptStyle ? weights.at("embed").at(tokens[t], int64_t(i)) +
                                     weights.at("wpe").at(int64_t(t) + 2, int64_t(i))
                               : weights.at("embed").at(tokens[t], int64_t(i)) * 1.5;
    x.push_back(row);
  }
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    const std::string p = "l" + std::to_string(layer) + ".";
    std::vector<Row> q, k, v;
    for (size_t t = 0; t < x.size(); ++t) {
      Row h = normed(p + "norm1", x[t], hidden);
      if (config.gptStyle) {
        Row qkv = projected(p + "qkv", h, second(t));
        auto at = qkv.begin();
        q.emplace_back(at, at + long(heads * d));
        k.emplace_back(at + long(heads * d), at + long((heads + kvHeads) * d));
        v.emplace_back(at + long((heads + kvHeads) * d), qkv.end());
      } else {
        q.push_back(normed(p + "q_norm", projected(p + "q", h, second(t)), d));
        k.push_back(normed(p + "k_norm", projected(p + "k", h, second(t)), d));
        v.push_back(projected(p + "v", h, second(t)));
        rotate(q.back(), int64_t(t));
        rotate(k.back(), int64_t(t));
      }
    }
    const int64_t window = layer == 0 ? config.window : 0;
    for (size_t t = 0; t < x.size(); ++t) {
      Row attended(heads * d, 0.0);
      for (size_t head = 0; head < heads; ++head) {
        const size_t kv = head / (heads / kvHeads) * d;
        size_t first = window > 0 && int64_t(t) >= window ? t - size_t(window) + 1 : 0;
        double sum = 0;
        Row out(d, 0.0);
        for (size_t j = first; j <= t; ++j) {
          double score = 0;
          for (size_t i = 0; i < d; ++i)
            score += q[t][head * d + i] * k[j][kv + i];
          double weight = std::exp(softcapped(score / std::sqrt(double(d)), config.softcap));
          sum += weight;
          for (size_t i = 0; i < d; ++i)
            out[i] += weight * v[j][kv + i];
        }
        for (size_t i = 0; i < d; ++i)
          attended[head * d + i] = out[i] / sum;
      }
      add(x[t], projected(p + "o", attended, second(t)));
      Row h = normed(p + "norm2", x[t], hidden);
      Row m = projected(p + "up", h, second(t));
      Row gate = config.gptStyle ? m : projected(p + "gate", h, second(t));
      for (size_t i = 0; i < m.size(); ++i)
        m[i] =
            config.gptStyle
                ? m[i] / 2 *
                      (1 + std::tanh(std::sqrt(2 / M_PI) * (m[i] + 0.044715 * m[i] * m[i] * m[i])))
                : gate[i] / (1 + std::exp(-gate[i])) * m[i];
      if (config.hadamardBlock > 0)
        transform(m);
      add(x[t], projected(p + "down", m, second(t)));
    }
  }
  for (size_t t = 0; t < x.size(); ++t) {
    x[t] = projected("head", normed("norm", x[t], hidden), second(t));
    for (double &value : x[t])
      value = softcapped(value, config.softcap);
  }
  return x;
}

} // namespace qrt::test
