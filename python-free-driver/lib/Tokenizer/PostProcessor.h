//===- PostProcessor.h - Special tokens around a text -----------------------------------------===//
// The `post_processor` of tokenizer.json for one sequence: TemplateProcessing, RobertaProcessing,
// BertProcessing, ByteLevel (which only moves offsets), Sequence. Others are Unsupported, by name.
// Thread safety: immutable after parsing.
#ifndef QRT_TOKENIZER_POSTPROCESSOR_H
#define QRT_TOKENIZER_POSTPROCESSOR_H

#include "Tokenizer/JsonFields.h"

#include <cstdint>
#include <vector>

namespace qrt::text {

class PostProcessor {
public:
  /// `json` null: none.
  static Result<PostProcessor> fromJson(const Json &json, const std::string &where);
  void apply(std::vector<int32_t> &ids, bool addSpecialTokens) const;

private:
  /// A piece of a template: ids, or where there are none the sequence itself.
  struct Part {
    bool isSequence;
    std::vector<int32_t> ids;
  };
  Status add(const Json &json, const std::string &where, int depth);
  Status addTemplate(const JsonFields &fields);
  Status addPair(const JsonFields &fields);

  std::vector<std::vector<Part>> templates;
};

} // namespace qrt::text

#endif // QRT_TOKENIZER_POSTPROCESSOR_H
