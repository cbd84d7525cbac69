//===- ModelFiles.h - Where a model's files lie -----------------------------------------------===//
// Finds the graph in a model folder and the text files that belong into the .qmod beside it.
#ifndef QOPT_PIPELINES_MODELFILES_H
#define QOPT_PIPELINES_MODELFILES_H

#include "Format/Program.h"
#include "qrt/Status.h"

#include <string>
#include <utility>
#include <vector>

namespace qopt {

/// The graph file that `path` means: itself if it is a file; for a folder the first of model.onnx,
/// onnx/model.onnx, decoder_model_merged.onnx, onnx/decoder_model_merged.onnx, else the only .onnx
/// in the folder or in its onnx/ subfolder. CannotRead names the candidates where that is not one.
qrt::Result<std::string> findModelFile(const std::string &path);

struct Sidecars {
  /// Sections for the writer, each at most once, bytes as found.
  std::vector<std::pair<qrt::SectionKind, std::string>> sections;
  std::vector<std::string> files; ///< paths that were used
  int64_t maxContext = 0;         ///< from config.json or genai_config.json; 0 = unknown
};

/// Reads tokenizer.json, tokenizer_config.json, special_tokens_map.json, chat_template.jinja (or
/// chat_template.json), generation_config.json, config.json and genai_config.json from the folder
/// of `modelFile` or, each one that is missing there, from the parent folder. None is required.
/// What special_tokens_map.json adds to tokenizer_config.json is merged into it; genai_config.json
/// stands in for a missing generation_config.json. InvalidModel for a file that is not JSON.
qrt::Result<Sidecars> readSidecars(const std::string &modelFile);

} // namespace qopt

#endif // QOPT_PIPELINES_MODELFILES_H
