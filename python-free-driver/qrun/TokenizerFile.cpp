//===- TokenizerFile.cpp - The tokenizer of a path --------------------------------------------===//
#include "TokenizerFile.h"

#include "Support/MappedFile.h"
#include "qrt/Model.h"

#include <filesystem>

namespace fs = std::filesystem;

namespace qrt {

static Result<std::string> readText(const fs::path &path) {
  QRT_ASSIGN_OR_RETURN(auto file, MappedFile::open(path.string()));
  return std::string(reinterpret_cast<const char *>(file.bytes().data()), file.bytes().size());
}

static Result<std::shared_ptr<const Tokenizer>> fromFiles(const fs::path &json,
                                                          const fs::path &config) {
  QRT_ASSIGN_OR_RETURN(std::string text, readText(json));
  std::string settings;
  std::error_code error;
  if (!config.empty() && fs::exists(config, error)) {
    QRT_ASSIGN_OR_RETURN(settings, readText(config));
  }
  return Tokenizer::fromJson(text, settings);
}

Result<std::shared_ptr<const Tokenizer>> loadTokenizer(const std::string &path) {
  std::error_code error;
  fs::path file(path);
  if (fs::is_directory(file, error)) {
    if (fs::exists(file / "tokenizer.json", error))
      return fromFiles(file / "tokenizer.json", file / "tokenizer_config.json");
    if (fs::exists(file / "tokenizer.model", error))
      return unsupported(
          "'" + path +
          "' has only a SentencePiece tokenizer.model; convert it to "
          "tokenizer.json (AutoTokenizer.from_pretrained(...).save_pretrained(...))");
    return cannotRead("folder '" + path + "' holds no tokenizer.json");
  }
  if (file.extension() == ".json")
    return fromFiles(file, {});
  if (file.extension() == ".model")
    return unsupported("'" + path +
                       "' is a SentencePiece model; convert it to tokenizer.json "
                       "(AutoTokenizer.from_pretrained(...).save_pretrained(...))");
  QRT_ASSIGN_OR_RETURN(auto model, Model::load(path));
  std::string_view json = model->section(SectionKind::Tokenizer);
  if (json.empty())
    return cannotRead("'" + path + "' has no tokenizer");
  return Tokenizer::fromJson(json, model->section(SectionKind::TokenizerConfig));
}

} // namespace qrt
