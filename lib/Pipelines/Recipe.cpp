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

std::string recipeJson(const SchemeOptions &options,
                       const calibration::CalibrationStage *calibration) {
  qrt::OrderedJson recipe;
  recipe["scheme"] = options.scheme.empty() ? "source" : options.scheme;
  recipe["lm_head_type"] = options.headScheme;
  recipe["embed_type"] = options.embedScheme;
  recipe["algo"] = options.algorithm;
  recipe["mse"] = options.mse;
  recipe["keep_fp16"] = options.keepFp16;
  recipe["tensor_type"] = options.tensorType;
  recipe["ignore"] = options.ignore;
  if (options.kv != qrt::KvSpec())
    recipe["kv"] = qrt::kvText(options.kv);
  if (options.alternates)
    recipe["fp16_set"] = "all";
  if (calibration) {
    recipe["nsamples"] = calibration->data.samples;
    recipe["seqlen"] = calibration->data.length;
    recipe["seed"] = calibration->data.seed;
    const calibration::MixedOptions &mixed = calibration->mixed;
    if (mixed.targetBpw)
      recipe["target_bpw"] = *mixed.targetBpw;
    if (mixed.targetBytes)
      recipe["target_size"] = *mixed.targetBytes;
    if (mixed.critical.part)
      recipe["keep_critical_part"] = *mixed.critical.part;
    if (mixed.critical.count)
      recipe["keep_critical"] = *mixed.critical.count;
    if (mixed.alternates.part)
      recipe["fp16_set_part"] = *mixed.alternates.part;
    if (mixed.alternates.count)
      recipe["fp16_set_count"] = *mixed.alternates.count;
    recipe["damp"] = calibration->quantizer.gptq.damping;
    recipe["rounds"] = calibration->quantizer.gptq.rounds;
  }
  return qrt::dumpJson(recipe, 2);
}

/// {"file", "bytes", "sha256"}: the name without its folder.
static qrt::Result<qrt::OrderedJson> describeFile(const std::string &path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer)
    return qrt::cannotRead("'" + path + "': " + buffer.getError().message());
  llvm::StringRef bytes = (*buffer)->getBuffer();
  std::array<uint8_t, 32> hash = llvm::SHA256::hash(
      llvm::ArrayRef(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()));
  qrt::OrderedJson json;
  json["file"] = llvm::sys::path::filename(path).str();
  json["bytes"] = bytes.size();
  json["sha256"] = llvm::toHex(hash, /*LowerCase=*/true);
  return json;
}

qrt::Result<std::string> provenanceJson(const std::string &sourceFile, bool synthetic,
                                        const std::string &verification,
                                        const calibration::CalibrationStage *calibration) {
  qrt::OrderedJson provenance;
  provenance["tool"] = "qopt";
  provenance["version"] = QOPT_VERSION;
  provenance["llvm"] = LLVM_VERSION_STRING;
  if (synthetic) {
    provenance["source"]["synthetic"] = sourceFile;
  } else {
    QRT_ASSIGN_OR_RETURN(provenance["source"], describeFile(sourceFile));
  }
  if (calibration && !calibration->data.file.empty()) {
    QRT_ASSIGN_OR_RETURN(qrt::OrderedJson data, describeFile(calibration->data.file));
    data["sequences"] = calibration->sequences;
    data["tokens"] = calibration->tokens;
    provenance["calibration"] = std::move(data);
  }
  provenance["verified"] = verification;
  return qrt::dumpJson(provenance, 2);
}

} // namespace qopt
