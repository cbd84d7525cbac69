//===- StreamDecoder.cpp - Text token by token ------------------------------------------------===//
#include "Tokenizer/Tokenizer.h"

namespace qrt {

StreamDecoder::StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer, bool skipSpecial)
    : tokenizer(std::move(tokenizer)), skipSpecial(skipSpecial),
      run(this->tokenizer->startDecoding(skipSpecial)) {}

std::string StreamDecoder::push(int32_t id) { return run->push(id); }

std::string StreamDecoder::finish() {
  std::string rest = run->finish();
  run = tokenizer->startDecoding(skipSpecial);
  return rest;
}

} // namespace qrt
