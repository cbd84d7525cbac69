//===- ByteAlphabet.cpp - Bytes as printable characters ---------------------------------------===//
#include "Tokenizer/ByteAlphabet.h"

#include "Tokenizer/Unicode.h"

#include <array>
#include <cstdint>

namespace qrt::text {

static constexpr bool standsForItself(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

namespace {
struct Tables {
  std::array<char16_t, 256> charOf{};
  std::array<int16_t, 0x144> byteOf{};
  constexpr Tables() {
    byteOf.fill(-1);
    char16_t next = 0x100;
    for (int byte = 0; byte < 256; ++byte) {
      charOf[size_t(byte)] = standsForItself(byte) ? char16_t(byte) : next++;
      byteOf[charOf[size_t(byte)]] = int16_t(byte);
    }
  }
};
} // namespace

static constexpr Tables tables;

std::string bytesToAlphabet(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (unsigned char byte : bytes) {
    char16_t c = tables.charOf[byte];
    if (c < 0x80) {
      out.push_back(char(c));
    } else { // all of them are below U+0800
      out.push_back(char(0xC0 | c >> 6));
      out.push_back(char(0x80 | (c & 0x3F)));
    }
  }
  return out;
}

std::optional<std::string> alphabetToBytes(std::string_view valid) {
  std::string out;
  out.reserve(valid.size());
  for (size_t pos = 0; pos < valid.size();) {
    char32_t c = nextChar(valid, pos);
    if (c >= tables.byteOf.size() || tables.byteOf[c] < 0)
      return std::nullopt;
    out.push_back(char(tables.byteOf[c]));
  }
  return out;
}

} // namespace qrt::text
