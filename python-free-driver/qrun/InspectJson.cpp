//===- InspectJson.cpp - Everything a file says about itself, as JSON ------------------------===//
#include "InspectJson.h"

#include "GenerationSummary.h"
#include "Summary.h"

#include "Engine/KvCache.h"
#include "Format/AlternateSet.h"
#include "Format/Container.h"
#include "Format/SparseOutliers.h"
#include "Generation/ModelTexts.h"
#include "kernels/cpu/attention/attention.h"

#include <cmath>
#include <map>

namespace qrt {

namespace {

OrderedJson ioJson(const Program &program, const std::vector<IoDesc> &list) {
  OrderedJson out = OrderedJson::array();
  for (const IoDesc &io : list)
    out.push_back({{"name", io.name}, {"dtype", name(io.dtype)}, {"dims", io.dims}});
  return out;
}

OrderedJson programJson(const Program &program) {
  OrderedJson out;
  out["kind"] = programKindName(program.kind);
  out["vocab_size"] = program.vocabSize;
  out["max_context"] = program.maxContext;
  out["arena_bytes_per_token"] = program.arenaFloatsPerToken * int64_t(sizeof(float));
  OrderedJson &caches = out["caches"] = OrderedJson::array();
  for (const CacheSpec &cache : program.caches)
    caches.push_back({{"kv_heads", cache.kvHeads},
                      {"head_dim", cache.headDim},
                      {"value_dim", cache.valueDim},
                      {"window", cache.window}});
  const KvBlockBytes bytes = kvBlockBytes(program.caches, program.kv);
  out["kv"] = {{"keys", kvTypeName(program.kv.keys)},
               {"values", kvTypeName(program.kv.values)},
               {"sink", program.kv.sink},
               {"window", program.kv.recent},
               {"bytes_per_token", bytes.stored / kernels::kvPageTokens}};
  out["inputs"] = ioJson(program, program.inputs);
  out["outputs"] = ioJson(program, program.outputs);
  std::map<std::string, int64_t> counts; // by name, so that the order says nothing
  for (const Instruction &instruction : program.instructions) {
    std::string word = opCodeName(instruction.op);
    if (instruction.op == OpCode::TensorOp)
      word += ":" + std::string(instruction.getString("op"));
    ++counts[word];
  }
  out["instructions"] = program.instructions.size();
  out["operations"] = counts;
  return out;
}

OrderedJson tensorJson(const TensorEntry &tensor) {
  OrderedJson out;
  out["name"] = tensor.name;
  OrderedJson &sources = out["sources"] = OrderedJson::array();
  for (const SourceName &source : tensor.sources)
    sources.push_back({{"name", source.name}, {"transposed", source.transposed}});
  out["shape"] = tensor.shape;
  out["scheme"] = tensor.scheme;
  out["packed"] = tensor.packed;
  out["bytes"] = storedBytes(tensor);
  out["bits_per_weight"] =
      elementCount(tensor)
          ? OrderedJson(8.0 * double(storedBytes(tensor)) / double(elementCount(tensor)))
          : OrderedJson();
  out["error"] = std::isnan(tensor.rmsError) ? OrderedJson() : OrderedJson(tensor.rmsError);
  return out;
}

/// The second weight set: linears that are in it, of those that are quantized, and what it adds to
/// the file.
OrderedJson alternateJson(const Program &program) {
  const AlternateSet set = alternateSet(program);
  if (set.empty())
    return nullptr;
  return {{"linears", set.linears}, {"quantized_linears", set.quantized}, {"bytes", set.bytes}};
}

/// Weights that linears keep in f16 beside their codes, and what they add to the file.
OrderedJson outliersJson(const Program &program) {
  const OutlierCount count = countOutliers(program);
  if (count.linears == 0)
    return nullptr;
  return {{"linears", count.linears}, {"weights", count.weights}, {"bytes", count.bytes}};
}

/// A section that should be JSON: its value, its text if it is not, null if the file has none.
OrderedJson sectionJson(const Model &model, SectionKind kind) {
  std::string_view text = model.section(kind);
  if (text.empty())
    return nullptr;
  auto parsed = parseOrderedJson(text, sectionName(kind));
  return parsed ? *parsed : OrderedJson(text);
}

OrderedJson optionalNumber(std::optional<double> value) {
  return value ? OrderedJson(*value) : OrderedJson();
}

/// What tokenizer.json is, without building a tokenizer of it.
OrderedJson tokenizerJson(const Model &model) {
  std::string_view text = model.section(SectionKind::Tokenizer);
  if (text.empty())
    return nullptr;
  OrderedJson out;
  out["bytes"] = text.size();
  auto parsed = parseJson(text, "tokenizer");
  if (!parsed) {
    out["error"] = parsed.status().message();
    return out;
  }
  if (!parsed->is_object())
    return out;
  if (auto it = parsed->find("model"); it != parsed->end() && it->is_object()) {
    out["model"] = jsonString(*it, "type").value_or("BPE"); // what an absent type means
    if (auto vocab = it->find("vocab"); vocab != it->end())
      out["vocab_size"] = vocab->size();
  }
  if (auto it = parsed->find("added_tokens"); it != parsed->end() && it->is_array())
    out["added_tokens"] = it->size();
  return out;
}

/// Think tags and the markers that a penalty would act on: the file's own table, else the default
/// word set as this tokenizer spells it. What cannot be found out says why.
void addReasoning(const Model &model, OrderedJson &out) {
  out["think_tags"] = nullptr;
  out["markers"] = nullptr;
  auto texts = ModelTexts::fromModel(model);
  if (!texts) {
    out["texts_error"] = texts.status().message();
    return;
  }
  out["eos_ids"] = texts->eosIds;
  if (texts->thinkTags)
    out["think_tags"] = {{"open", texts->thinkTags->open}, {"close", texts->thinkTags->close}};
  if (texts->markers) {
    out["markers"] = markersJson(*texts->markers);
    out["markers"]["stored"] = true;
  } else if (texts->tokenizer) {
    std::span<const std::string_view> words = markerWordSet("default50");
    auto table = expandMarkers(*texts->tokenizer,
                               std::vector<std::string>(words.begin(), words.end()), "default50");
    if (table) {
      out["markers"] = markersJson(*table);
      out["markers"]["stored"] = false;
    }
  }
}

} // namespace

OrderedJson inspectJson(const Model &model) {
  OrderedJson out;
  out["path"] = model.path();
  out["format_version"] = std::to_string(qmodMajor) + "." + std::to_string(qmodMinor);
  out["bytes"] = model.fileBytes();
  const BitsPerWeight bits = bitsPerWeight(model);
  out["bits_per_weight"] = optionalNumber(bits.quantizedLinears);
  out["bits_per_weight_file"] = optionalNumber(bits.file);
  out["program"] = programJson(model.program());
  out["fp16_set"] = alternateJson(model.program());
  out["outliers"] = outliersJson(model.program());
  out["tokenizer"] = tokenizerJson(model);
  addReasoning(model, out);
  out["chat_template_bytes"] = model.section(SectionKind::ChatTemplate).size();
  out["recipe"] = sectionJson(model, SectionKind::Recipe);
  out["provenance"] = sectionJson(model, SectionKind::Provenance);
  out["generation_config"] = sectionJson(model, SectionKind::GenerationConfig);
  OrderedJson &tensors = out["tensors"] = OrderedJson::array();
  for (const TensorEntry &tensor : model.program().tensors)
    tensors.push_back(tensorJson(tensor));
  return out;
}

} // namespace qrt
