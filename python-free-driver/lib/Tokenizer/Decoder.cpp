//===- Decoder.cpp - From the spellings of tokens to text -------------------------------------===//
#include "Tokenizer/Decoder.h"

#include "Tokenizer/ByteAlphabet.h"
#include "Tokenizer/DecodeStages.h"
#include "Tokenizer/Unicode.h"

namespace qrt::text {

static constexpr int maxDepth = 20;

DecodeChain::~DecodeChain() = default;

void DecodeChain::push(std::string_view spelling) {
  stages.back()->text(spelling);
  stages.back()->endToken();
}

std::string DecodeChain::take() { return std::exchange(out, {}); }

void DecodeChain::finish() { stages.back()->finish(); }

std::unique_ptr<DecodeChain> Decoder::start() const {
  std::unique_ptr<DecodeChain> chain(new DecodeChain);
  chain->stages.push_back(joinStage(chain->out, present ? "" : " "));
  for (auto part = parts.rbegin(); part != parts.rend(); ++part)
    chain->stages.push_back(part->make(*chain->stages.back()));
  return chain;
}

std::string Decoder::bytesOf(std::string_view spelling) const {
  std::string bytes(spelling);
  for (const Part &part : parts)
    if (part.map)
      part.map(bytes);
  return bytes;
}

Result<Decoder> Decoder::fromJson(const Json &json, const std::string &where) {
  Decoder decoder;
  if (!json.is_null()) {
    decoder.present = true;
    QRT_RETURN_IF_ERROR(decoder.add(json, where, 0));
  }
  return decoder;
}

Status Decoder::addStrip(const JsonFields &fields) {
  QRT_ASSIGN_OR_RETURN(std::string character, fields.character("content"));
  QRT_ASSIGN_OR_RETURN(int64_t start, fields.count("start"));
  QRT_ASSIGN_OR_RETURN(int64_t stop, fields.count("stop"));
  MapSpelling map;
  if (!fused) // behind Fuse it is about the ends of the text
    map = [=](std::string &text) {
      for (int64_t i = 0; i < start && text.starts_with(character); ++i)
        text.erase(0, character.size());
      for (int64_t i = 0; i < stop && text.ends_with(character); ++i)
        text.erase(text.size() - character.size());
    };
  parts.push_back({[=](TokenSink &next) { return stripStage(next, character, start, stop); }, map});
  return Status::ok();
}

Status Decoder::addReplace(const JsonFields &fields) {
  QRT_ASSIGN_OR_RETURN(Pattern pattern, Pattern::fromJson(fields, "pattern"));
  QRT_ASSIGN_OR_RETURN(std::string content, fields.string("content"));
  parts.push_back({[=](TokenSink &next) { return replaceStage(next, pattern, content); },
                   [=](std::string &text) {
                     if (isValidUtf8(text)) // not so behind ByteFallback or ByteLevel
                       text = pattern.replaceAll(text, content);
                   }});
  return Status::ok();
}

Status Decoder::addMetaspace(const JsonFields &fields) {
  QRT_ASSIGN_OR_RETURN(std::string mark, fields.character("replacement"));
  QRT_ASSIGN_OR_RETURN(std::string scheme, fields.string("prepend_scheme", "always"));
  QRT_ASSIGN_OR_RETURN(bool prefixSpace, fields.boolean("add_prefix_space", true));
  if (scheme != "always" && scheme != "first" && scheme != "never")
    return fields.invalid("'prepend_scheme' expects always, first or never");
  bool dropsFirst = prefixSpace && scheme != "never";
  parts.push_back({[=](TokenSink &next) { return metaspaceStage(next, mark, dropsFirst); },
                   [=](std::string &text) { text = replaceText(text, mark, " "); }});
  return Status::ok();
}

Status Decoder::add(const Json &json, const std::string &where, int depth) {
  JsonFields fields(json, where);
  QRT_ASSIGN_OR_RETURN(std::string type, fields.type());
  if (type == "Sequence") {
    const Json *list = fields.find("decoders");
    if (!list || !list->is_array())
      return fields.invalid("'decoders' expects an array");
    if (depth > maxDepth)
      return fields.invalid("sequences nest too deeply");
    for (size_t i = 0; i < list->size(); ++i)
      QRT_RETURN_IF_ERROR(add((*list)[i], where + "[" + std::to_string(i) + "]", depth + 1));
    return Status::ok();
  }
  if (type == "ByteLevel") {
    parts.push_back({byteLevelStage, [](std::string &text) {
                       if (auto bytes = alphabetToBytes(text))
                         text = std::move(*bytes);
                     }});
    fused = true;
  } else if (type == "ByteFallback") {
    parts.push_back({byteFallbackStage, [](std::string &text) {
                       if (auto byte = byteOfSpelling(text))
                         text.assign(1, char(*byte));
                     }});
  } else if (type == "Fuse") {
    parts.push_back({fuseStage, {}});
    fused = true;
  } else if (type == "Strip") {
    return addStrip(fields);
  } else if (type == "Replace") {
    return addReplace(fields);
  } else if (type == "Metaspace") {
    return addMetaspace(fields);
  } else if (type == "BPEDecoder") {
    QRT_ASSIGN_OR_RETURN(std::string suffix, fields.string("suffix", "</w>"));
    if (suffix.empty())
      return fields.notSupported("an empty 'suffix' is not supported");
    parts.push_back({[=](TokenSink &next) { return bpeSuffixStage(next, suffix); },
                     [=](std::string &text) { text = replaceText(text, suffix, " "); }});
  } else if (type == "WordPiece") {
    QRT_ASSIGN_OR_RETURN(std::string prefix, fields.string("prefix", "##"));
    QRT_ASSIGN_OR_RETURN(bool cleanup, fields.boolean("cleanup", true));
    parts.push_back({[=](TokenSink &next) { return wordPieceStage(next, prefix, cleanup); },
                     [=](std::string &text) {
                       if (text.starts_with(prefix))
                         text.erase(0, prefix.size());
                       else
                         text.insert(0, " ");
                       if (cleanup)
                         text = cleanupSpaces(std::move(text));
                     }});
  } else {
    return fields.notSupported("decoder '" + type + "' is not supported");
  }
  return Status::ok();
}

} // namespace qrt::text
