//===- KvSpec.cpp - How a KV cache stores keys and values ------------------------------------===//
#include "qrt/KvSpec.h"

#include <tuple>

namespace qrt {

std::optional<DType> kvTypeFromName(std::string_view text) {
  if (text == "int8" || text == "q8_0")
    return DType::I8;
  if (text == "int4" || text == "q4_0")
    return DType::I4;
  const std::optional<DType> type = dtypeFromName(text);
  return type && KvSpec::isCacheType(*type) ? type : std::nullopt;
}

std::string kvTypeName(DType type) {
  return type == DType::I8 ? "int8" : type == DType::I4 ? "int4" : std::string(name(type));
}

static Status unknownType(std::string_view text) {
  return invalidArgument("KV cache type '" + std::string(text) +
                         "': expects f32, f16, bf16, int8 or int4, or k=TYPE,v=TYPE");
}

Status parseKvTypes(std::string_view text, KvOptions &out) {
  if (text.find('=') == text.npos) {
    out.keys = out.values = kvTypeFromName(text);
    return out.keys ? Status::ok() : unknownType(text);
  }
  const std::string_view whole = text;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    const std::string_view which = part.substr(0, 2);
    const std::optional<DType> type =
        part.size() > 2 ? kvTypeFromName(part.substr(2)) : std::nullopt;
    std::optional<DType> &side = which == "k=" ? out.keys : out.values;
    if (!type || (which != "k=" && which != "v="))
      return unknownType(whole);
    side = type;
    text = comma == text.npos ? std::string_view() : text.substr(comma + 1);
  }
  return Status::ok();
}

std::string kvText(const KvSpec &spec) {
  std::string text = spec.keys == spec.values
                         ? kvTypeName(spec.keys)
                         : "k=" + kvTypeName(spec.keys) + ",v=" + kvTypeName(spec.values);
  if (spec.sink > 0)
    text += ", sink " + std::to_string(spec.sink);
  if (spec.recent > 0)
    text += ", window " + std::to_string(spec.recent);
  return text;
}

Result<KvSpec> resolveKv(const KvSpec &stored, const KvOptions &options) {
  KvSpec spec = stored;
  spec.keys = options.keys.value_or(stored.keys);
  spec.values = options.values.value_or(stored.values);
  for (DType type : {spec.keys, spec.values})
    if (!KvSpec::isCacheType(type))
      return unknownType(name(type));
  if (spec.keys != stored.keys || spec.values != stored.values) {
    const bool fourBits = spec.keys == DType::I4 || spec.values == DType::I4;
    spec.sink = fourBits ? defaultKvSink : 0;
    spec.recent = fourBits ? defaultKvRecent : 0;
  }
  for (auto [given, field, what] : {std::tuple(options.sink, &spec.sink, "KV sink"),
                                    std::tuple(options.recent, &spec.recent, "KV window")}) {
    if (!given)
      continue;
    if (*given < 0 || *given > INT32_MAX)
      return invalidArgument(std::string(what) + ": " + std::to_string(*given) +
                             " tokens, not in 0 to 2147483647");
    if (!spec.isCoded())
      return invalidArgument(std::string(what) + ": no effect on a cache of type " +
                             kvText({spec.keys, spec.values}));
    *field = *given;
  }
  return spec;
}

} // namespace qrt
