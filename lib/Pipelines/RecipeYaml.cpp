//===- RecipeYaml.cpp - Recipes as text ------------------------------------------------------===//
// LLVM's YAML parser, because its nodes know their lines. What it reports goes into the status.
#include "qopt/Pipelines/Recipe.h"

#include "Support/AtomicFile.h"
#include "Support/Json.h"
#include "Support/MappedFile.h"

#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/YAMLParser.h"

namespace qopt {

namespace {

class Reader {
public:
  Reader(llvm::StringRef text, std::string file) : text(text), file(std::move(file)) {
    sources.setDiagHandler(
        [](const llvm::SMDiagnostic &message, void *self) {
          auto &reader = *static_cast<Reader *>(self);
          if (!reader.syntax.empty())
            return;
          reader.syntax = ":";
          reader.syntax += std::to_string(std::max(1, message.getLineNo()));
          reader.syntax += ": " + message.getMessage().str();
        },
        this);
  }

  qrt::Result<std::vector<RecipeEntry>> read();

private:
  /// From a node's place in the text: the parser keeps a copy only of what it changes.
  int lineOf(llvm::yaml::Node *node) {
    return static_cast<int>(sources.getLineAndColumn(node->getSourceRange().Start).first);
  }
  qrt::Status problem(int line, const std::string &what) {
    return qrt::invalidArgument("'" + file + "':" + std::to_string(line) + ": " + what);
  }
  qrt::Status readValue(llvm::yaml::Node *node, RecipeEntry &entry);

  llvm::StringRef text;
  std::string file;
  llvm::SourceMgr sources;
  std::string syntax; ///< ":LINE: what", of the first mistake in the YAML itself
};

} // namespace

qrt::Status Reader::readValue(llvm::yaml::Node *node, RecipeEntry &entry) {
  llvm::SmallString<64> storage;
  if (auto *scalar = llvm::dyn_cast_or_null<llvm::yaml::ScalarNode>(node)) {
    entry.values.push_back(scalar->getValue(storage).str());
    return qrt::Status::ok();
  }
  auto *list = llvm::dyn_cast_or_null<llvm::yaml::SequenceNode>(node);
  if (!list)
    return problem(entry.line, "key '" + entry.key + "': expects a value or a list of values");
  entry.isList = true;
  for (llvm::yaml::Node &item : *list) {
    auto *scalar = llvm::dyn_cast<llvm::yaml::ScalarNode>(&item);
    if (!scalar)
      return problem(entry.line, "key '" + entry.key + "': expects a list of plain values");
    entry.values.push_back(scalar->getValue(storage).str());
    storage.clear();
  }
  return qrt::Status::ok();
}

qrt::Result<std::vector<RecipeEntry>> Reader::read() {
  llvm::yaml::Stream stream(text, sources, /*ShowColors=*/false);
  std::vector<RecipeEntry> entries;
  auto document = stream.begin();
  llvm::yaml::Node *root = document == stream.end() ? nullptr : document->getRoot();
  auto *mapping = llvm::dyn_cast_or_null<llvm::yaml::MappingNode>(root);
  if (!mapping) {
    if (!syntax.empty())
      return qrt::invalidArgument("'" + file + "'" + syntax);
    return problem(1, "expects a mapping of keys to values");
  }
  for (llvm::yaml::KeyValueNode &pair : *mapping) {
    llvm::SmallString<32> storage;
    auto *key = llvm::dyn_cast_or_null<llvm::yaml::ScalarNode>(pair.getKey());
    if (!key)
      break; // a syntax error, or a key that is no word
    RecipeEntry entry;
    entry.key = key->getValue(storage).str();
    entry.line = lineOf(key);
    for (const RecipeEntry &other : entries)
      if (other.key == entry.key)
        return problem(entry.line, "key '" + entry.key + "': given twice, first in line " +
                                       std::to_string(other.line));
    QRT_RETURN_IF_ERROR(readValue(pair.getValue(), entry));
    entries.push_back(std::move(entry));
  }
  if (stream.failed() || !syntax.empty())
    return qrt::invalidArgument("'" + file + "'" +
                                (syntax.empty() ? std::string(": is not YAML") : syntax));
  return entries;
}

qrt::Result<std::vector<RecipeEntry>> readRecipe(const std::string &file) {
  QRT_ASSIGN_OR_RETURN(std::string text, qrt::readFile(file));
  return Reader(text, file).read();
}

std::string recipeYaml(const qrt::OrderedJson &recipe) {
  std::string text = "# Made by " + toolVersion() + "; qopt MODEL --recipe THIS -o M.qmod\n";
  for (const auto &[key, value] : recipe.items()) // JSON values are YAML values
    text += key + ": " + qrt::dumpJson(value) + "\n";
  return text;
}

qrt::Status saveRecipe(const qrt::OrderedJson &recipe, const std::string &file) {
  const std::string text = recipeYaml(recipe);
  QRT_ASSIGN_OR_RETURN(qrt::AtomicFile written, qrt::AtomicFile::create(file));
  QRT_RETURN_IF_ERROR(written.write(text.data(), text.size()));
  return written.commit();
}

} // namespace qopt
