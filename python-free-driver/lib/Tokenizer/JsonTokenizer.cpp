//===- JsonTokenizer.cpp - The tokenizer of a tokenizer.json ----------------------------------===//
#include "Tokenizer/JsonTokenizer.h"

#include "Tokenizer/ByteAlphabet.h"
#include "Tokenizer/Unicode.h"

namespace qrt::text {

std::vector<int32_t> JsonTokenizer::encode(std::string_view bytes,
                                           const EncodeOptions &options) const {
  std::string repaired;
  if (!isValidUtf8(bytes)) {
    Utf8Repair repair;
    repair.push(bytes, repaired);
    repair.finish(repaired);
    bytes = repaired;
  }
  std::unique_lock lock(cacheMutex, std::try_to_lock);
  WordCache *cache = lock.owns_lock() ? &wordCache : nullptr;
  std::vector<AddedTokens::Stretch> stretches;
  added.split(bytes, false, options.parseSpecial, stretches);
  std::vector<int32_t> ids;
  for (const auto &[begin, end, id] : stretches) {
    if (id >= 0)
      ids.push_back(id);
    else
      encodeStretch({std::string(bytes.substr(begin, end - begin)), begin == 0},
                    options.parseSpecial, cache, ids);
  }
  postProcessor.apply(ids, options.addSpecialTokens);
  return ids;
}

/// Text between tokens that are found before normalization.
void JsonTokenizer::encodeStretch(NormalizedText stretch, bool parseSpecial, WordCache *cache,
                                  std::vector<int32_t> &ids) const {
  normalizer.apply(stretch);
  std::vector<AddedTokens::Stretch> stretches;
  added.split(stretch.text, true, parseSpecial, stretches);
  for (const auto &[begin, end, id] : stretches) {
    if (id >= 0) {
      ids.push_back(id);
      continue;
    }
    PieceList list;
    list.text =
        stretches.size() == 1 ? std::move(stretch.text) : stretch.text.substr(begin, end - begin);
    list.pieces.push_back({0, list.text.size(), stretch.atStart && begin == 0});
    encodePieces(list, cache, ids);
  }
}

void JsonTokenizer::encodePieces(PieceList &list, WordCache *cache,
                                 std::vector<int32_t> &ids) const {
  preTokenizer.apply(list);
  const std::string_view seam = preTokenizer.leavesBytes() ? "" : model->seam();
  for (const PieceList::Piece &piece : list.pieces) {
    std::string_view rest = list.view(piece);
    if (seam.empty()) {
      encodeWord(rest, cache, ids);
      continue;
    }
    for (size_t from = 0; !rest.empty();) {
      size_t at = rest.find(seam, from);
      if (at == std::string_view::npos)
        at = rest.size();
      else if (at == 0 || rest.substr(0, at).ends_with(seam)) {
        from = at + seam.size(); // in a run of marks
        continue;
      }
      encodeWord(rest.substr(0, at), cache, ids);
      rest.remove_prefix(at);
      from = 0;
    }
  }
}

void JsonTokenizer::encodeWord(std::string_view word, WordCache *cache,
                               std::vector<int32_t> &ids) const {
  if (word.empty() || (cache && cache->find(word, ids)))
    return;
  size_t before = ids.size();
  if (preTokenizer.leavesBytes())
    model->encode(bytesToAlphabet(word), ids);
  else
    model->encode(word, ids);
  if (cache)
    cache->insert(word, std::span(ids).subspan(before));
}

std::optional<std::string_view> JsonTokenizer::spelling(int32_t id, bool skipSpecial) const {
  if (const AddedToken *token = added.byId(id)) {
    if (skipSpecial && added.isSpecialSpelling(token->content))
      return std::nullopt;
    return token->content;
  }
  if (!model->vocabulary().contains(id))
    return std::nullopt;
  std::string_view text = model->vocabulary().spelling(id);
  if (skipSpecial && added.isSpecialSpelling(text))
    return std::nullopt;
  return text;
}

std::string JsonTokenizer::decode(std::span<const int32_t> ids, bool skipSpecial) const {
  std::unique_ptr<DecodeChain> chain = decoder.start();
  for (int32_t id : ids)
    if (auto text = spelling(id, skipSpecial))
      chain->push(*text);
  chain->finish();
  return chain->take();
}

namespace {
class Run final : public Tokenizer::DecodingRun {
public:
  using Spelling = std::function<std::optional<std::string_view>(int32_t)>;
  Run(std::unique_ptr<DecodeChain> chain, Spelling spelling)
      : chain(std::move(chain)), spelling(std::move(spelling)) {}
  std::string push(int32_t id) override {
    if (auto text = spelling(id))
      chain->push(*text);
    return chain->take();
  }
  std::string finish() override {
    chain->finish();
    return chain->take();
  }

private:
  std::unique_ptr<DecodeChain> chain;
  Spelling spelling;
};
} // namespace

std::unique_ptr<Tokenizer::DecodingRun> JsonTokenizer::startDecoding(bool skipSpecial) const {
  return std::make_unique<Run>(decoder.start(),
                               [self = shared_from_this(), skipSpecial](int32_t id) {
                                 return self->spelling(id, skipSpecial);
                               });
}

int32_t JsonTokenizer::vocabSize() const {
  return std::max(model->vocabulary().idLimit(), added.idLimit());
}

std::string_view JsonTokenizer::tokenText(int32_t id) const {
  return spelling(id, false).value_or(std::string_view());
}

std::string JsonTokenizer::tokenBytes(int32_t id) const {
  if (const AddedToken *token = added.byId(id))
    return token->content;
  return decoder.bytesOf(tokenText(id));
}

std::optional<int32_t> JsonTokenizer::tokenId(std::string_view text) const {
  if (auto id = added.find(text))
    return id;
  return model->vocabulary().find(text);
}

bool JsonTokenizer::isSpecial(int32_t id) const {
  auto text = spelling(id, false);
  return text && added.isSpecialSpelling(*text);
}

} // namespace qrt::text
