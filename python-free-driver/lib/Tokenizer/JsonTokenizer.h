//===- JsonTokenizer.h - The tokenizer of a tokenizer.json ------------------------------------===//
// Puts the components together: added tokens, normalizer, pre-tokenizer, model, post-processor and
// decoder. Use it through Tokenizer.h.
// Thread safety: as Tokenizer; the word cache is locked, and passed by where it is taken.
#ifndef QRT_TOKENIZER_JSONTOKENIZER_H
#define QRT_TOKENIZER_JSONTOKENIZER_H

#include "Tokenizer/AddedTokens.h"
#include "Tokenizer/Decoder.h"
#include "Tokenizer/Normalizer.h"
#include "Tokenizer/PostProcessor.h"
#include "Tokenizer/PreTokenizer.h"
#include "Tokenizer/TokenModel.h"
#include "Tokenizer/Tokenizer.h"
#include "Tokenizer/WordCache.h"

#include <mutex>

namespace qrt::text {

class JsonTokenizer final : public Tokenizer, public std::enable_shared_from_this<JsonTokenizer> {
public:
  /// The two files, parsed; `config` null: none.
  Status load(const Json &json, const Json &config);

  std::vector<int32_t> encode(std::string_view text, const EncodeOptions &options) const override;
  std::string decode(std::span<const int32_t> ids, bool skipSpecial) const override;
  std::unique_ptr<DecodingRun> startDecoding(bool skipSpecial) const override;
  int32_t vocabSize() const override;
  std::string_view tokenText(int32_t id) const override;
  std::string tokenBytes(int32_t id) const override;
  std::optional<int32_t> tokenId(std::string_view text) const override;
  bool isSpecial(int32_t id) const override;
  std::optional<int32_t> bosId() const override { return bos; }
  std::optional<int32_t> eosId() const override { return eos; }

private:
  Status loadAddedTokens(const Json &json, const Json &config);
  void encodeStretch(NormalizedText stretch, bool parseSpecial, WordCache *cache,
                     std::vector<int32_t> &ids) const;
  void encodePieces(PieceList &list, WordCache *cache, std::vector<int32_t> &ids) const;
  void encodeWord(std::string_view word, WordCache *cache, std::vector<int32_t> &ids) const;
  /// What the decoder sees of an id; nothing if it is skipped.
  std::optional<std::string_view> spelling(int32_t id, bool skipSpecial) const;

  std::unique_ptr<TokenModel> model;
  Normalizer normalizer;
  PreTokenizer preTokenizer;
  PostProcessor postProcessor;
  Decoder decoder;
  AddedTokens added;
  std::optional<int32_t> bos, eos;

  mutable std::mutex cacheMutex;
  mutable WordCache wordCache;
};

} // namespace qrt::text

#endif // QRT_TOKENIZER_JSONTOKENIZER_H
