//===- Decoder.h - From the spellings of tokens to text ---------------------------------------===//
// The `decoder` of tokenizer.json: ByteLevel, ByteFallback, Metaspace, Replace, Fuse, Strip,
// BPEDecoder, WordPiece, Sequence; without one, spellings are joined by spaces. Others are
// Unsupported, by name.
// Decoding is a chain of stages that take a token at a time and give on what is certain, so that
// streaming and decoding a whole list are the same thing.
// Thread safety: a Decoder is immutable after parsing; a DecodeChain belongs to one thread.
#ifndef QRT_TOKENIZER_DECODER_H
#define QRT_TOKENIZER_DECODER_H

#include "Tokenizer/JsonFields.h"

#include <functional>
#include <memory>
#include <vector>

namespace qrt::text {

/// Takes the text of tokens in fragments.
class TokenSink {
public:
  virtual ~TokenSink() = default;
  virtual void text(std::string_view fragment) = 0;
  virtual void endToken() = 0;
  virtual void finish() = 0;
};

/// The stages of one decoding run.
class DecodeChain {
public:
  ~DecodeChain();
  void push(std::string_view spelling);
  /// What is certain and was not taken yet.
  std::string take();
  /// Ends the run; take() then gives the rest.
  void finish();

private:
  friend class Decoder;
  DecodeChain() = default;
  std::vector<std::unique_ptr<TokenSink>> stages; // the last of them first
  std::string out;
};

class Decoder {
public:
  /// `json` null: none.
  static Result<Decoder> fromJson(const Json &json, const std::string &where);
  std::unique_ptr<DecodeChain> start() const;
  /// The bytes that a spelling stands for in the middle of a text.
  std::string bytesOf(std::string_view spelling) const;

private:
  using MakeStage = std::function<std::unique_ptr<TokenSink>(TokenSink &next)>;
  using MapSpelling = std::function<void(std::string &)>;
  struct Part {
    MakeStage make;
    MapSpelling map; ///< for bytesOf(); may be empty
  };
  Status add(const Json &json, const std::string &where, int depth);
  Status addStrip(const JsonFields &fields);
  Status addReplace(const JsonFields &fields);
  Status addMetaspace(const JsonFields &fields);

  std::vector<Part> parts;
  bool present = false;
  bool fused = false; // parts that follow see one token, the whole text
};

} // namespace qrt::text

#endif // QRT_TOKENIZER_DECODER_H
