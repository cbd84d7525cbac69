//===- TokenizerFuzzer.cpp - libFuzzer target for tokenizer.json ------------------------------===//
// The input is a tokenizer.json, behind it (after a zero byte, if there is one) a text to encode.
#include "Tokenizer/Tokenizer.h"

#include <cstdint>

using namespace qrt;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string_view input(reinterpret_cast<const char *>(data), size);
  size_t zero = input.find('\0');
  std::string_view text = "Wait, <think>42</think> \xC3\xA9\xFF \n\n word";
  if (zero != std::string_view::npos)
    text = input.substr(zero + 1);
  auto tokenizer = Tokenizer::fromJson(input.substr(0, zero));
  if (!tokenizer)
    return 0;
  auto ids = (*tokenizer)->encode(text, {.addSpecialTokens = true});
  std::string decoded = (*tokenizer)->decode(ids), streamed;
  StreamDecoder stream(*tokenizer);
  for (int32_t id : ids) {
    streamed += stream.push(id);
    (void)(*tokenizer)->tokenBytes(id);
  }
  streamed += stream.finish();
  if (streamed != decoded)
    __builtin_trap();
  return 0;
}
