//===- Prompts.h - Prompts from the command line and from files ------------------------------===//
#ifndef QRUN_PROMPTS_H
#define QRUN_PROMPTS_H

#include "Generation/ModelTexts.h"
#include "qrt/Model.h"

#include <string>
#include <vector>

namespace qrt {

struct PromptSources {
  std::string idsFile;            ///< [[int, ...], ...]; "": none
  std::vector<std::string> texts; ///< with the special tokens that the tokenizer adds (bos)
  std::string jsonLines;          ///< {"prompt"}, {"messages"} or {"ids"} per line; "": none
};

struct Prompt {
  std::string name; ///< where it came from, for messages: "a.jsonl, line 3"
  std::vector<int32_t> ids;
};

/// All prompts, sources in the order above. InvalidArgument: no prompt, an empty one, or ids that
/// are none of the vocabulary; CannotRead: a file, or a text for a model without a tokenizer.
Result<std::vector<Prompt>> readPrompts(const PromptSources &sources, const Model &model,
                                        const ModelTexts &texts);

} // namespace qrt

#endif // QRUN_PROMPTS_H
