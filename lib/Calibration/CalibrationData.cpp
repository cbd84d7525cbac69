//===- CalibrationData.cpp - Calibration tokens from a file ----------------------------------===//
#include "qopt/Calibration/CalibrationData.h"

#include "Npy.h"

#include "Support/MappedFile.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

using qrt::OrderedJson;
using qrt::Status;

namespace qopt::calibration {

namespace {

/// One document, prompt or row, before it is cut.
struct Sample {
  std::vector<int32_t> ids;
  std::vector<float> weights; ///< empty: all 1
};

Status bad(std::string text) {
  return Status::error(qrt::StatusCode::BadCalibration, std::move(text));
}

class Reader {
public:
  Reader(const CalibrationOptions &options, const TextEncoder &encoder)
      : options(options), encoder(encoder), what("'" + options.file + "'") {}

  qrt::Result<TokenTable> read();

private:
  Status readSamples(const std::string &bytes);
  Status readNpy(const std::string &bytes);
  Status addRow(const double *values, int64_t count, int64_t row);
  Status readMask(const std::vector<int64_t> &shape);
  Status readJsonl(std::string_view text);
  Status addObject(const OrderedJson &value, const std::string &where);
  Status addIds(const OrderedJson &list, const std::string &where);
  Status addText(std::string_view text, const std::string &where);
  Status addMessages(const OrderedJson &messages, const std::string &where);
  Status checkId(int64_t id, const std::string &where) const;
  TokenTable cut();

  const CalibrationOptions &options;
  const TextEncoder &encoder;
  std::string what;
  std::vector<Sample> samples;
};

} // namespace

Status Reader::checkId(int64_t id, const std::string &where) const {
  if (id >= 0 && id <= INT32_MAX && (options.vocabulary == 0 || id < options.vocabulary))
    return Status::ok();
  return bad(where + ": token id " + std::to_string(id) + " is outside the vocabulary of " +
             std::to_string(options.vocabulary));
}

Status Reader::addRow(const double *values, int64_t count, int64_t row) {
  Sample sample;
  for (int64_t i = 0; i < count; ++i) {
    const auto id = static_cast<int64_t>(values[i]);
    QRT_RETURN_IF_ERROR(
        checkId(id, what + ", row " + std::to_string(row) + ", column " + std::to_string(i)));
    sample.ids.push_back(static_cast<int32_t>(id));
  }
  samples.push_back(std::move(sample));
  return Status::ok();
}

Status Reader::readNpy(const std::string &bytes) {
  QRT_ASSIGN_OR_RETURN(NpyArray array, parseNpy(bytes, what));
  if (!array.isInteger() || array.shape.empty() || array.shape.size() > 2)
    return bad(what + ": expects integers [sequences, length], got type '" + array.type +
               "' with " + std::to_string(array.shape.size()) + " dimensions");
  const int64_t rows = array.shape.size() == 2 ? array.shape[0] : 1, length = array.shape.back();
  for (int64_t row = 0; row < rows && length > 0; ++row)
    QRT_RETURN_IF_ERROR(addRow(array.values.data() + row * length, length, row));
  return options.maskFile.empty() ? Status::ok() : readMask(array.shape);
}

Status Reader::readMask(const std::vector<int64_t> &shape) {
  QRT_ASSIGN_OR_RETURN(std::string bytes, qrt::readFile(options.maskFile));
  const std::string name = "'" + options.maskFile + "'";
  QRT_ASSIGN_OR_RETURN(NpyArray mask, parseNpy(bytes, name));
  if (mask.shape != shape)
    return bad(name + ": expects the shape of " + what);
  double sum = 0;
  for (double weight : mask.values) {
    if (!std::isfinite(weight) || weight < 0)
      return bad(name + ": expects weights that are finite and not negative");
    sum += weight;
  }
  if (sum <= 0)
    return bad(name + ": all weights are 0");
  const int64_t length = shape.back();
  for (size_t row = 0; row < samples.size(); ++row) {
    const double *from = mask.values.data() + static_cast<int64_t>(row) * length;
    samples[row].weights.assign(from, from + length);
  }
  return Status::ok();
}

Status Reader::addIds(const OrderedJson &list, const std::string &where) {
  Sample sample;
  for (const OrderedJson &value : list) {
    if (!value.is_number_integer())
      return bad(where + ": expects a list of token ids, got " + qrt::dumpJson(value));
    QRT_RETURN_IF_ERROR(checkId(value.get<int64_t>(), where));
    sample.ids.push_back(static_cast<int32_t>(value.get<int64_t>()));
  }
  samples.push_back(std::move(sample));
  return Status::ok();
}

Status Reader::addText(std::string_view text, const std::string &where) {
  if (!encoder.encodeText)
    return bad(where + ": text needs a tokenizer, and the model has none that can be used; give "
                       "token ids (.npy)");
  auto ids = encoder.encodeText(text);
  if (!ids)
    return bad(where + ": " + ids.status().message());
  samples.push_back({std::move(*ids), {}});
  return Status::ok();
}

Status Reader::addMessages(const OrderedJson &messages, const std::string &where) {
  if (!encoder.encodeMessages)
    return bad(where + ": messages need a tokenizer and a chat template, which the model does not "
                       "have in a usable form");
  auto ids = encoder.encodeMessages(messages);
  if (!ids)
    return bad(where + ": " + ids.status().message());
  samples.push_back({std::move(*ids), {}});
  return Status::ok();
}

Status Reader::addObject(const OrderedJson &value, const std::string &where) {
  if (value.is_array())
    return addIds(value, where);
  if (value.is_object()) {
    for (const char *key : {"ids", "input_ids"})
      if (auto it = value.find(key); it != value.end() && it->is_array())
        return addIds(*it, where);
    if (auto it = value.find("messages"); it != value.end() && it->is_array())
      return addMessages(*it, where);
    for (const char *key : {"text", "prompt"})
      if (auto it = value.find(key); it != value.end() && it->is_string())
        return addText(it->get_ref<const std::string &>(), where);
  }
  return bad(where + ": expects a list of ids, or an object with ids, text or messages");
}

Status Reader::readJsonl(std::string_view text) {
  for (int64_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos)
      continue;
    const std::string where = what + ", line " + std::to_string(number);
    auto value = qrt::parseOrderedJson(line, where);
    if (!value)
      return bad(value.status().message());
    QRT_RETURN_IF_ERROR(addObject(*value, where));
  }
  return Status::ok();
}

Status Reader::readSamples(const std::string &bytes) {
  const size_t dot = options.file.rfind('.');
  const std::string extension = dot == std::string::npos ? "" : options.file.substr(dot);
  if (!options.maskFile.empty() && extension != ".npy")
    return bad(what + ": a mask needs token ids in a .npy file");
  if (extension == ".npy")
    return readNpy(bytes);
  if (extension == ".jsonl")
    return readJsonl(bytes);
  if (extension == ".txt")
    return addText(bytes, what);
  if (extension != ".json")
    return bad(what + ": expects a file that ends in .npy, .json, .jsonl or .txt");
  auto value = qrt::parseOrderedJson(bytes, what);
  if (!value)
    return bad(value.status().message());
  const OrderedJson *list = &*value;
  for (const char *key : {"ids", "input_ids"})
    if (auto it = value->is_object() ? value->find(key) : value->end(); it != value->end())
      list = &*it;
  if (!list->is_array())
    return bad(what + ": expects a list of lists of token ids");
  if (!list->empty() && !list->front().is_structured())
    return addIds(*list, what);
  int64_t row = 0;
  for (const OrderedJson &sample : *list)
    QRT_RETURN_IF_ERROR(addObject(sample, what + ", sample " + std::to_string(row++)));
  return Status::ok();
}

TokenTable Reader::cut() {
  if (options.seed != 0) {
    std::mt19937_64 random(options.seed);
    for (size_t i = samples.size(); i > 1; --i)
      std::swap(samples[i - 1], samples[random() % i]);
  }
  TokenTable table;
  const bool weighted = std::any_of(samples.begin(), samples.end(),
                                    [](const Sample &sample) { return !sample.weights.empty(); });
  bool more = true;
  for (int64_t begin = 0; more; begin += options.length) {
    more = false;
    for (const Sample &sample : samples) {
      const auto size = static_cast<int64_t>(sample.ids.size());
      const int64_t count = std::min(options.length, size - begin);
      more |= size > begin + options.length;
      if (count <= 0 || (begin > 0 && count * 8 < options.length) ||
          static_cast<int64_t>(table.sequences.size()) >= options.samples)
        continue;
      table.append(std::span(sample.ids).subspan(begin, count));
      for (int64_t i = begin; weighted && i < begin + count; ++i)
        table.weights.push_back(sample.weights.empty() ? 1.0f : sample.weights[i]);
    }
  }
  return table;
}

qrt::Result<TokenTable> Reader::read() {
  if (options.samples < 1 || options.length < 1)
    return qrt::invalidArgument("calibration needs at least one sample of at least one token");
  QRT_ASSIGN_OR_RETURN(std::string bytes, qrt::readFile(options.file));
  QRT_RETURN_IF_ERROR(readSamples(bytes));
  TokenTable table = cut();
  if (table.ids.empty())
    return bad(what + ": holds no tokens");
  if (!table.weights.empty() &&
      std::all_of(table.weights.begin(), table.weights.end(), [](float w) { return w <= 0; }))
    return bad("'" + options.maskFile + "': all weights of the chosen tokens are 0");
  return table;
}

qrt::Result<TokenTable> readCalibration(const CalibrationOptions &options,
                                        const TextEncoder &encoder) {
  return Reader(options, encoder).read();
}

} // namespace qopt::calibration
