//===- ByteAlphabet.h - Bytes as printable characters -----------------------------------------===//
// The 256 characters with which byte-level BPE (GPT-2) writes bytes in a vocabulary: printable
// Latin-1 stands for itself, the 68 others are U+0100 and following in order.
// Thread safety: constant data.
#ifndef QRT_TOKENIZER_BYTEALPHABET_H
#define QRT_TOKENIZER_BYTEALPHABET_H

#include <optional>
#include <string>
#include <string_view>

namespace qrt::text {

/// Each byte of `bytes` as its character, in UTF-8.
std::string bytesToAlphabet(std::string_view bytes);
/// The bytes that `valid` spells, or nothing if a character is not of the alphabet.
std::optional<std::string> alphabetToBytes(std::string_view valid);

} // namespace qrt::text

#endif // QRT_TOKENIZER_BYTEALPHABET_H
