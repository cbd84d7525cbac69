//===- GenericBinding.cpp - What the inputs of an unraised graph mean ------------------------===//
#include "Engine/GenericBinding.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace qrt {

/// "past_key_values.3.key" and "present_3_key" -> "3.key"; nothing if the name does not begin with
/// `prefix` or has no layer number.
static std::optional<std::string> cacheKey(const std::string &name, std::string_view prefix) {
  if (!name.starts_with(prefix))
    return std::nullopt;
  size_t digit = name.find_first_of("0123456789");
  if (digit == std::string::npos)
    return std::nullopt;
  std::string key = name.substr(digit);
  std::replace(key.begin(), key.end(), '_', '.');
  return key;
}

/// "key_cache.3" -> "3.key", "value_cache.3" -> "3.value"; with `prefix` ("updated_") before it.
static std::optional<std::string> fixedCacheKey(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix))
    return std::nullopt;
  name.remove_prefix(prefix.size());
  for (std::string_view kind : {"key", "value"}) {
    std::string start = std::string(kind) + "_cache.";
    if (name.starts_with(start))
      return std::string(name.substr(start.size())) + "." + std::string(kind);
  }
  return std::nullopt;
}

static std::optional<std::string> presentKey(const std::string &name) {
  auto key = cacheKey(name, "present");
  return key ? key : fixedCacheKey(name, "updated_");
}

static std::optional<int64_t> fixedDim(const std::string &text) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0)
    return std::nullopt;
  return value;
}

/// Batch is axis 0; the only other dimension without a fixed size is the sequence.
static Status bindPastShape(const IoDesc &input, BoundInput &bound) {
  std::vector<size_t> open;
  for (size_t axis = 0; axis < input.dims.size(); ++axis) {
    auto dim = fixedDim(input.dims[axis]);
    if (!dim && axis > 0)
      open.push_back(axis);
    bound.emptyShape.push_back(axis == 0 ? 1 : dim.value_or(0));
    if (axis == 0 && dim && *dim != 1)
      return unsupported("input '" + input.name + "': batch size " + std::to_string(*dim));
  }
  if (input.dims.size() < 3 || open.size() != 1)
    return unsupported("input '" + input.name +
                       "': its shape does not tell which dimension is "
                       "the sequence");
  bound.sequenceAxis = open[0];
  return Status::ok();
}

/// [batch, capacity, features] or [batch, heads, capacity, head size]: written in place.
static Status bindFixedShape(const IoDesc &input, BoundInput &bound) {
  constexpr int64_t maxElements = int64_t(1) << 32;
  int64_t elements = 1;
  for (size_t axis = 0; axis < input.dims.size(); ++axis) {
    auto dim = axis == 0 ? std::optional<int64_t>(1) : fixedDim(input.dims[axis]);
    if (!dim || *dim < 1 || *dim > maxElements / elements)
      return unsupported("input '" + input.name + "': expects fixed dimensions behind the batch");
    elements *= *dim;
    bound.emptyShape.push_back(*dim);
  }
  if (input.dims.size() != 3 && input.dims.size() != 4)
    return unsupported("input '" + input.name + "': expects 3 or 4 dimensions");
  bound.sequenceAxis = input.dims.size() - 2;
  bound.capacity = bound.emptyShape[bound.sequenceAxis];
  return Status::ok();
}

static Status bindPast(const Program &program, const IoDesc &input, const std::string &key,
                       GenericBinding &binding, BoundInput &bound) {
  bound.role = InputRole::Past;
  if (fixedCacheKey(input.name, "")) {
    QRT_RETURN_IF_ERROR(bindFixedShape(input, bound));
    binding.capacity =
        binding.capacity ? std::min(binding.capacity, bound.capacity) : bound.capacity;
  } else {
    QRT_RETURN_IF_ERROR(bindPastShape(input, bound));
  }
  for (const IoDesc &output : program.outputs)
    if (auto other = presentKey(output.name); other && *other == key) {
      bound.pastIndex = binding.presents.size();
      binding.presents.push_back(output.value);
      return Status::ok();
    }
  return unsupported("input '" + input.name + "' has no output 'present." + key + "'");
}

Result<GenericBinding> bindGeneric(const Program &program) {
  static const std::pair<const char *, InputRole> names[] = {
      {"input_ids", InputRole::Ids},
      {"attention_mask", InputRole::AttentionMask},
      {"position_ids", InputRole::PositionIds},
      {"cache_position", InputRole::CachePosition},
      {"token_type_ids", InputRole::TokenTypeIds},
      {"write_indices", InputRole::WriteIndices},
      {"nonpad_kv_seqlen", InputRole::KvLength}};
  GenericBinding binding;
  std::string unknown;
  bool hasIds = false;
  for (const IoDesc &input : program.inputs) {
    BoundInput bound = {InputRole::Ids, input.value, input.dtype, 0, {}, 0, 0};
    auto named = std::find_if(std::begin(names), std::end(names),
                              [&](const auto &entry) { return input.name == entry.first; });
    if (named != std::end(names)) {
      bound.role = named->second;
      hasIds |= bound.role == InputRole::Ids;
    } else if (auto key = cacheKey(input.name, "past");
               key || (key = fixedCacheKey(input.name, ""))) {
      QRT_RETURN_IF_ERROR(bindPast(program, input, *key, binding, bound));
    } else {
      unknown += (unknown.empty() ? "'" : ", '") + input.name + "'";
      continue;
    }
    binding.inputs.push_back(std::move(bound));
  }
  if (!unknown.empty())
    return unsupported("the engine has no value for input " + unknown);
  if (!hasIds)
    return unsupported("the model has no input 'input_ids'");
  int others = 0;
  for (const IoDesc &output : program.outputs) {
    bool present = presentKey(output.name).has_value();
    others += !present;
    if (output.name == "logits" || (!present && binding.logits < 0))
      binding.logits = output.value;
  }
  bool named = std::any_of(program.outputs.begin(), program.outputs.end(),
                           [](const IoDesc &output) { return output.name == "logits"; });
  if (binding.logits < 0 || (!named && others > 1))
    return unsupported("the model has no output 'logits'");
  return binding;
}

} // namespace qrt
