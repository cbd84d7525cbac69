//===- Tokenizer.h - Text to token ids and back -----------------------------------------------===//
// Reads tokenizer.json (the format of the `tokenizers` library): BPE, byte-level or with byte
// fallback, with the normalizers, pre-tokenizers, added tokens, post-processors and decoders that
// language models use. Agrees with that library id by id; what it cannot do exactly is an error at
// load that names the component.
// Hostile input: any bytes give a Status, never a crash; time is O(n log n) in the text.
// Thread safety: immutable after load; share it.
#ifndef QRT_TOKENIZER_TOKENIZER_H
#define QRT_TOKENIZER_TOKENIZER_H

#include "qrt/Status.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qrt {

class Tokenizer {
public:
  /// InvalidModel: not JSON, or inconsistent; Unsupported: a component, by name. `config` is
  /// tokenizer_config.json, "" if there is none: it adds tokens and says which is bos and eos.
  static Result<std::shared_ptr<const Tokenizer>> fromJson(std::string_view json,
                                                           std::string_view config = {});
  virtual ~Tokenizer() = default;

  struct EncodeOptions {
    bool addSpecialTokens = false; ///< what the post-processor adds (bos ...)
    bool parseSpecial = true;      ///< spellings of special tokens in the text become those tokens
  };
  /// Bytes that are not UTF-8 are replaced by U+FFFD.
  virtual std::vector<int32_t> encode(std::string_view text,
                                      const EncodeOptions &options) const = 0;
  std::vector<int32_t> encode(std::string_view text) const { return encode(text, {}); }

  /// As the library decodes the whole list. Ids out of range are skipped.
  virtual std::string decode(std::span<const int32_t> ids, bool skipSpecial = false) const = 0;

  /// Number of ids: 1 + the largest id of vocabulary and added tokens.
  virtual int32_t vocabSize() const = 0;
  /// The spelling in tokenizer.json ("Ġthe", "<0x0A>"), "" for an unused id.
  virtual std::string_view tokenText(int32_t id) const = 0;
  /// The bytes that the token stands for in the middle of a text (" the", "\n"): what a streaming
  /// decoder appends. Special tokens give their spelling.
  virtual std::string tokenBytes(int32_t id) const = 0;
  /// The id of a spelling, added tokens included.
  virtual std::optional<int32_t> tokenId(std::string_view text) const = 0;
  virtual bool isSpecial(int32_t id) const = 0;
  virtual std::optional<int32_t> bosId() const = 0;
  virtual std::optional<int32_t> eosId() const = 0;

  /// Decoding in pieces, for StreamDecoder.
  class DecodingRun {
  public:
    virtual ~DecodingRun() = default;
    virtual std::string push(int32_t id) = 0;
    virtual std::string finish() = 0;
  };
  virtual std::unique_ptr<DecodingRun> startDecoding(bool skipSpecial) const = 0;
};

/// Decodes token by token: text comes out as soon as it is certain (complete UTF-8 sequences, ends
/// of runs of fallback bytes), and the pieces together are decode() of all ids.
class StreamDecoder {
public:
  explicit StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer, bool skipSpecial = false);
  /// What `id` adds to the text, possibly nothing yet.
  std::string push(int32_t id);
  /// What is left at the end. The next push() starts a new text.
  std::string finish();

private:
  std::shared_ptr<const Tokenizer> tokenizer;
  bool skipSpecial;
  std::unique_ptr<Tokenizer::DecodingRun> run;
};

} // namespace qrt

#endif // QRT_TOKENIZER_TOKENIZER_H
