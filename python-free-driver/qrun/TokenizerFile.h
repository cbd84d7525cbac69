//===- TokenizerFile.h - The tokenizer of a path ----------------------------------------------===//
// Commands that need only text take a .qmod, a folder with tokenizer.json (and
// tokenizer_config.json), or a tokenizer.json alone.
#ifndef QRUN_TOKENIZERFILE_H
#define QRUN_TOKENIZERFILE_H

#include "Tokenizer/Tokenizer.h"

#include <string>

namespace qrt {

/// CannotRead if there is no tokenizer, or the errors of Model::load() and Tokenizer::fromJson().
Result<std::shared_ptr<const Tokenizer>> loadTokenizer(const std::string &path);

} // namespace qrt

#endif // QRUN_TOKENIZERFILE_H
