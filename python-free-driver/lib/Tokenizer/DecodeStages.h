//===- DecodeStages.h - The stages that decoders are made of ----------------------------------===//
// Each stage passes tokens on to `next` as the decoder of its name in the tokenizers library does.
// Private to Decoder.cpp and DecodeStages.cpp.
#ifndef QRT_TOKENIZER_DECODESTAGES_H
#define QRT_TOKENIZER_DECODESTAGES_H

#include "Tokenizer/Decoder.h"
#include "Tokenizer/Pattern.h"

namespace qrt::text {

/// `<0xE4>` -> 0xE4.
std::optional<unsigned char> byteOfSpelling(std::string_view spelling);
/// WordPiece's tidying of English punctuation.
std::string cleanupSpaces(std::string text);
/// Every occurrence of `from`, which is not empty.
std::string replaceText(std::string_view text, std::string_view from, std::string_view to);

std::unique_ptr<TokenSink> byteLevelStage(TokenSink &next);
std::unique_ptr<TokenSink> byteFallbackStage(TokenSink &next);
std::unique_ptr<TokenSink> fuseStage(TokenSink &next);
std::unique_ptr<TokenSink> stripStage(TokenSink &next, std::string character, int64_t start,
                                      int64_t stop);
std::unique_ptr<TokenSink> replaceStage(TokenSink &next, Pattern pattern, std::string content);
std::unique_ptr<TokenSink> metaspaceStage(TokenSink &next, std::string mark, bool dropsFirst);
std::unique_ptr<TokenSink> bpeSuffixStage(TokenSink &next, std::string suffix);
std::unique_ptr<TokenSink> wordPieceStage(TokenSink &next, std::string prefix, bool cleanup);
/// The end of the chain: appends to `out`, with `separator` between tokens.
std::unique_ptr<TokenSink> joinStage(std::string &out, std::string separator);

} // namespace qrt::text

#endif // QRT_TOKENIZER_DECODESTAGES_H
