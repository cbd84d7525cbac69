//===- Verify.cpp - qrun verify: check every rule of a file ----------------------------------===//
#include "Command.h"
#include "Output.h"

#include "qrt/Model.h"

namespace qrt {

/// Exit 0, or the first violated rule of docs/qmod-format.md. Reads all bytes, weights included.
static Status verify(const std::string &path) {
  QRT_ASSIGN_OR_RETURN(auto model, Model::load(path, {.verifyChecksums = true}));
  OrderedJson result;
  result["path"] = path;
  result["valid"] = true;
  result["bytes"] = model->fileBytes();
  result["tensors"] = model->program().tensors.size();
  result["instructions"] = model->program().instructions.size();
  return writeJson(result);
}

void addVerify(CLI::App &app, Action &action) {
  auto path = std::make_shared<std::string>();
  CLI::App *command = app.add_subcommand("verify", "Check every rule and checksum of a file");
  command->add_option("MODEL", *path, "The .qmod file")->required();
  command->callback([&action, path] { action = [path] { return verify(*path); }; });
}

} // namespace qrt
