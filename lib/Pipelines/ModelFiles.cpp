//===- ModelFiles.cpp - Where a model's files lie --------------------------------------------===//
#include "qopt/Pipelines/ModelFiles.h"

#include "Support/Json.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

namespace fs = std::filesystem;

namespace qopt {

static constexpr uintmax_t maxSidecarBytes = uintmax_t(1) << 30;

static std::vector<std::string> onnxFilesIn(const fs::path &folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (it->path().extension() == ".onnx")
      files.push_back(it->path().string());
  std::sort(files.begin(), files.end());
  return files;
}

qrt::Result<std::string> findModelFile(const std::string &path) {
  std::error_code error;
  fs::file_status status = fs::status(path, error);
  if (!fs::exists(status))
    return qrt::cannotRead("'" + path + "' does not exist");
  if (!fs::is_directory(status))
    return path;
  for (const char *name : {"model.onnx", "onnx/model.onnx", "decoder_model_merged.onnx",
                           "onnx/decoder_model_merged.onnx"})
    if (fs::path file = fs::path(path) / name; fs::exists(file, error))
      return file.string();
  for (const char *subfolder : {"", "onnx"}) {
    std::vector<std::string> files = onnxFilesIn(fs::path(path) / subfolder);
    if (files.size() == 1)
      return files[0];
    if (files.empty())
      continue;
    std::string names;
    for (const std::string &file : files)
      names.append("\n  ").append(file);
    return qrt::cannotRead("folder '" + path + "' holds several models, name one:" + names);
  }
  return qrt::cannotRead("folder '" + path + "' holds no .onnx file");
}

/// The file's bytes; nothing if there is no such file.
static qrt::Result<std::optional<std::string>> readIfThere(const fs::path &path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error))
    return std::optional<std::string>();
  if (fs::file_size(path, error) > maxSidecarBytes || error)
    return qrt::cannotRead("'" + path.string() + "' is larger than 1 GiB");
  std::ifstream stream(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  if (!stream.good() && !stream.eof())
    return qrt::cannotRead("'" + path.string() + "' cannot be read");
  return std::optional<std::string>(std::move(bytes));
}

namespace {

class SidecarReader {
public:
  explicit SidecarReader(const std::string &modelFile) {
    fs::path folder = fs::path(modelFile).parent_path();
    folders.push_back(folder);
    std::error_code error;
    fs::path absolute = fs::absolute(folder.empty() ? fs::path(".") : folder, error);
    if (!error && absolute.lexically_normal().has_parent_path())
      folders.push_back(absolute.lexically_normal().parent_path());
  }

  qrt::Result<Sidecars> run();

private:
  /// Bytes of `name`, empty if it is nowhere. JSON is parsed into `json`.
  qrt::Status read(const char *name, std::string &bytes, qrt::OrderedJson *json);
  void add(qrt::SectionKind kind, const std::string &bytes) {
    if (!bytes.empty())
      result.sections.emplace_back(kind, bytes);
  }

  std::vector<fs::path> folders;
  Sidecars result;
};

} // namespace

qrt::Status SidecarReader::read(const char *name, std::string &bytes, qrt::OrderedJson *json) {
  for (const fs::path &folder : folders) {
    fs::path path = folder / name;
    QRT_ASSIGN_OR_RETURN(std::optional<std::string> found, readIfThere(path));
    if (!found)
      continue;
    bytes = std::move(*found);
    result.files.push_back(path.string());
    if (!json)
      return qrt::Status::ok();
    auto parsed = qrt::parseOrderedJson(bytes, path.string());
    if (!parsed)
      return qrt::invalidModel(parsed.status().message());
    *json = parsed.takeValue();
    if (!json->is_object())
      return qrt::invalidModel("'" + path.string() + "': expects a JSON object");
    return qrt::Status::ok();
  }
  return qrt::Status::ok();
}

/// Adds the members of `from` that `to` does not have. True if there were any.
static bool mergeMissing(qrt::OrderedJson &to, const qrt::OrderedJson &from) {
  bool changed = false;
  for (const auto &[key, value] : from.items())
    if (!to.contains(key))
      to[key] = value, changed = true;
  return changed;
}

/// The template of chat_template.json: a text, or texts by name, which become the list of
/// {"name", "template"} that tokenizer_config.json has for several.
static qrt::OrderedJson templateFromFile(const qrt::OrderedJson &file) {
  auto it = file.find("chat_template");
  if (it == file.end() || !it->is_object())
    return it == file.end() ? qrt::OrderedJson() : *it;
  qrt::OrderedJson list = qrt::OrderedJson::array();
  for (const auto &[name, text] : it->items()) {
    qrt::OrderedJson entry = qrt::OrderedJson::object();
    entry["name"] = name;
    entry["template"] = text;
    list.push_back(std::move(entry));
  }
  return list;
}

/// What genai_config.json says about generation, in the words of generation_config.json.
static qrt::OrderedJson generationFromGenai(const qrt::OrderedJson &genai) {
  qrt::OrderedJson generation = qrt::OrderedJson::object();
  auto take = [&](const char *section, std::initializer_list<const char *> keys) {
    auto it = genai.find(section);
    if (it == genai.end() || !it->is_object())
      return;
    for (const char *key : keys)
      if (it->contains(key))
        generation[key] = (*it)[key];
  };
  take("model", {"bos_token_id", "eos_token_id", "pad_token_id"});
  take("search", {"do_sample", "temperature", "top_k", "top_p", "repetition_penalty"});
  return generation;
}

/// The longest sequence that the model was made for, 0 if the file does not say.
static int64_t contextLength(const qrt::OrderedJson &config) {
  for (const char *key :
       {"max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "context_length"})
    if (auto it = config.find(key); it != config.end() && it->is_number_integer())
      return std::max<int64_t>(0, it->get<int64_t>());
  for (const char *nested : {"text_config", "model"})
    if (auto it = config.find(nested); it != config.end() && it->is_object())
      return contextLength(*it);
  return 0;
}

qrt::Result<Sidecars> SidecarReader::run() {
  using qrt::OrderedJson;
  using qrt::SectionKind;
  std::string tokenizer, tokenizerConfig, specialTokens, chatTemplate, generation, config, genai;
  OrderedJson tokenizerConfigJson, specialTokensJson, generationJson, configJson, genaiJson, unused;
  OrderedJson templateJson;
  QRT_RETURN_IF_ERROR(read("tokenizer.json", tokenizer, &unused));
  QRT_RETURN_IF_ERROR(read("tokenizer_config.json", tokenizerConfig, &tokenizerConfigJson));
  QRT_RETURN_IF_ERROR(read("special_tokens_map.json", specialTokens, &specialTokensJson));
  QRT_RETURN_IF_ERROR(read("chat_template.jinja", chatTemplate, nullptr));
  if (chatTemplate.empty()) {
    std::string bytes;
    QRT_RETURN_IF_ERROR(read("chat_template.json", bytes, &templateJson));
  }
  QRT_RETURN_IF_ERROR(read("generation_config.json", generation, &generationJson));
  QRT_RETURN_IF_ERROR(read("config.json", config, &configJson));
  QRT_RETURN_IF_ERROR(read("genai_config.json", genai, &genaiJson));
  if (tokenizerConfigJson.is_null())
    tokenizerConfig = specialTokens, tokenizerConfigJson = specialTokensJson;
  else if (!specialTokensJson.is_null() && mergeMissing(tokenizerConfigJson, specialTokensJson))
    tokenizerConfig = qrt::dumpJson(tokenizerConfigJson, 2);
  if (!templateJson.is_null()) {
    OrderedJson source = templateFromFile(templateJson);
    if (source.is_string()) {
      chatTemplate = source.get<std::string>();
    } else if (source.is_array()) {
      // Several templates have their place in tokenizer_config.json.
      tokenizerConfigJson["chat_template"] = std::move(source); // null becomes an object
      tokenizerConfig = qrt::dumpJson(tokenizerConfigJson, 2);
    } else {
      return qrt::invalidModel(
          "chat_template.json: 'chat_template' expects a text, a list or an object");
    }
  }
  if (generationJson.is_null() && !genaiJson.is_null())
    generation = qrt::dumpJson(generationFromGenai(genaiJson), 2);
  result.maxContext = contextLength(configJson.is_null() ? genaiJson : configJson);
  add(SectionKind::Tokenizer, tokenizer);
  add(SectionKind::TokenizerConfig, tokenizerConfig);
  add(SectionKind::ChatTemplate, chatTemplate);
  add(SectionKind::GenerationConfig, generation);
  add(SectionKind::ModelConfig, config.empty() ? genai : config);
  return std::move(result);
}

qrt::Result<Sidecars> readSidecars(const std::string &modelFile) {
  return SidecarReader(modelFile).run();
}

} // namespace qopt
