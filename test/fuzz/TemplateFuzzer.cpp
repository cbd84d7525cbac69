//===- TemplateFuzzer.cpp - Any bytes as a chat template --------------------------------------===//
// A template compiles and renders, or gives a Status: no crash, no hang, no unbounded memory.
// Seeds: test/fixtures/templates (snippets.txt split at its lines of dashes,
// chat/*/template.jinja).
#include "Template/ChatTemplate.h"

using namespace qrt;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  auto compiled = ChatTemplate::compile(std::string(reinterpret_cast<const char *>(data), size));
  if (!compiled)
    return 0;
  static const OrderedJson messages = OrderedJson::parse(
      R"([{"role":"system","content":"s"},{"role":"user","content":"h\u00e9 <think>x</think> y"},
          {"role":"assistant","content":[{"type":"text","text":"t"}],"n":[1,2.5,null,true]}])");
  ChatTemplate::Options options;
  options.now = 0;
  options.tools = OrderedJson::parse(R"([{"type":"function","function":{"name":"f"}}])");
  (void)(*compiled)->render(messages, options);
  return 0;
}
