//===- TextStreams.cpp - Texts of a batch on stdout, in order --------------------------------===//
#include "TextStreams.h"

#include "Output.h"

#include "Reasoning/ThinkState.h"

namespace qrt {

bool mayRetract(const ReasoningOptions &options) {
  return options.earlyExit.enabled || options.loop.rescues();
}

bool promptOpensThinking(const ModelTexts &texts, std::span<const int32_t> prompt) {
  if (!texts.thinkTags || !texts.tokenizer)
    return false;
  ThinkState state(std::make_shared<const ThinkTags>(*texts.thinkTags));
  for (int32_t id : prompt)
    state.push(id, texts.tokenizer->tokenBytes(id));
  return state.thinking();
}

TextStreams::TextStreams(size_t count, const ModelTexts &texts, const ReasoningOptions &reasoning)
    : texts(texts), live(!mayRetract(reasoning)), streams(count) {}

std::function<bool(const TokenEvent &)> TextStreams::listener(size_t index,
                                                              std::span<const int32_t> prompt) {
  if (!live)
    return {};
  streams[index].thinking = promptOpensThinking(texts, prompt);
  return [this, index](const TokenEvent &event) {
    Stream &stream = streams[index];
    if (event.text.empty())
      return error.isOk();
    // Events have no tags in their text; the whole text has them.
    if (event.reasoning != stream.thinking && texts.thinkTags)
      stream.waiting += event.reasoning ? texts.thinkTags->open : texts.thinkTags->close;
    stream.thinking = event.reasoning;
    stream.waiting += event.text;
    write();
    return error.isOk();
  };
}

void TextStreams::finish(size_t index, const GenerationResult &result) {
  if (!live)
    streams[index].waiting = result.text;
  streams[index].waiting += '\n';
  streams[index].done = true;
  write();
}

void TextStreams::write() {
  for (; current < streams.size(); ++current) {
    Stream &stream = streams[current];
    if (error.isOk() && !stream.waiting.empty())
      error = writeOutput(stream.waiting);
    stream.waiting.clear();
    if (!stream.done)
      return;
  }
}

} // namespace qrt
