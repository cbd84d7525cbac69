//===- Recipe.cpp - What a .qmod says about its making ---------------------------------------===//
#include "qopt/Pipelines/Recipe.h"

#include "Support/Json.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SHA256.h"

namespace qopt {

std::string toolVersion() { return "qopt " QOPT_VERSION " (LLVM " LLVM_VERSION_STRING ")"; }

std::string recipeJson(const SchemeOptions &options) {
  qrt::OrderedJson recipe;
  recipe["scheme"] = options.scheme.empty() ? "source" : options.scheme;
  recipe["lm_head_type"] = options.headScheme;
  recipe["embed_type"] = options.embedScheme;
  recipe["mse"] = options.mse;
  recipe["keep_fp16"] = options.keepFp16;
  recipe["tensor_type"] = options.tensorType;
  recipe["ignore"] = options.ignore;
  return qrt::dumpJson(recipe, 2);
}

qrt::Result<std::string> provenanceJson(const std::string &sourceFile, bool synthetic,
                                        const std::string &verification) {
  qrt::OrderedJson provenance;
  provenance["tool"] = "qopt";
  provenance["version"] = QOPT_VERSION;
  provenance["llvm"] = LLVM_VERSION_STRING;
  qrt::OrderedJson &source = provenance["source"];
  if (synthetic) {
    source["synthetic"] = sourceFile;
  } else {
    auto buffer = llvm::MemoryBuffer::getFile(sourceFile, /*IsText=*/false,
                                              /*RequiresNullTerminator=*/false);
    if (!buffer)
      return qrt::cannotRead("'" + sourceFile + "': " + buffer.getError().message());
    llvm::StringRef bytes = (*buffer)->getBuffer();
    std::array<uint8_t, 32> hash = llvm::SHA256::hash(
        llvm::ArrayRef(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()));
    source["file"] = llvm::sys::path::filename(sourceFile).str();
    source["bytes"] = bytes.size();
    source["sha256"] = llvm::toHex(hash, /*LowerCase=*/true);
  }
  provenance["verified"] = verification;
  return qrt::dumpJson(provenance, 2);
}

} // namespace qopt
