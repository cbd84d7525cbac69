//===- Recipe.cpp - What a .qmod says about its making ---------------------------------------===//
#include "qopt/Pipelines/Recipe.h"

#include "Support/Json.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/raw_ostream.h"

namespace qopt {

std::string toolVersion() { return "qopt " QOPT_VERSION " (LLVM " LLVM_VERSION_STRING ")"; }

/// As a person would write it: "12" linears, or "5%" of the weights.
static std::string allowanceText(const calibration::CriticalAllowance &allowance) {
  if (allowance.count)
    return std::to_string(*allowance.count);
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.10g%%", 100 * *allowance.part);
  return text;
}

static void addCalibration(qrt::OrderedJson &recipe, const calibration::CalibrationStage &stage,
                           bool gptq, bool files) {
  const calibration::CalibrationOptions &data = stage.data;
  if (files && !data.file.empty())
    recipe["calib"] = data.file;
  if (files && !data.maskFile.empty())
    recipe["calib-mask"] = data.maskFile;
  if (!stage.self.prompts.empty()) {
    if (files)
      recipe["calib-self"] = stage.self.prompts;
    recipe["calib-self-tokens"] = stage.self.tokens;
    recipe["calib-self-temp"] = stage.self.temperature;
  }
  if (stage.tokenWeights.isSet())
    recipe["calib-weights"] = stage.tokenWeights.text();
  recipe["nsamples"] = data.samples;
  recipe["seqlen"] = data.length;
  recipe["seed"] = data.seed;
  const calibration::MixedOptions &mixed = stage.mixed;
  if (gptq || mixed.enabled())
    recipe["damp"] = stage.quantizer.gptq.damping;
  if (gptq)
    recipe["rounds"] = stage.quantizer.gptq.rounds;
  if (stage.quantizesLinears && !stage.floatMoments)
    recipe["calib-arithmetic"] = calibration::sweepArithmeticText(stage.quantizer.arithmetic).str();
  if (stage.foldSmooth)
    recipe["smooth-alpha"] = stage.smooth.alpha;
  if (stage.activations)
    recipe["act-scales"] =
        ("static:" + calibration::activationObserverName(stage.activations->observer)).str();
  if (stage.quantizer.targetCorrection > 0) {
    recipe["gptaq"] = true;
    recipe["gptaq-strength"] = stage.quantizer.targetCorrection;
  }
  if (mixed.targetBpw)
    recipe["target-bpw"] = *mixed.targetBpw;
  if (mixed.targetBytes)
    recipe["target-size"] = *mixed.targetBytes;
  if (mixed.fit.bytes) {
    recipe["fit"] = mixed.fit.bytes;
    recipe["ctx"] = mixed.fit.context;
  }
  if (mixed.critical.isSet())
    recipe["keep-critical"] = allowanceText(mixed.critical);
  if (!mixed.sensitivity.outlierShares.empty())
    recipe["outliers"] = "auto";
  else if (mixed.critical.part)
    recipe["outliers"] = "none";
  if (mixed.alternates.isSet())
    recipe["with-fp16"] = "critical:" + allowanceText(mixed.alternates);
  if (files && !mixed.scoresFile.empty())
    recipe["scores"] = mixed.scoresFile;
  if (files && !stage.statisticsFile.empty())
    recipe["statistics"] = stage.statisticsFile;
  if (stage.floatMoments)
    recipe["float-moments"] = true;
  if (stage.deriveMarkers)
    recipe["derive-markers"] = true;
  if (stage.gate.isSet())
    recipe["gate"] = stage.gate.text();
}

/// What qir-assign-scheme gives the head and the embedding below 8 bits, or "".
static std::string defaultTableScheme(llvm::StringRef scheme) {
  if (!scheme.starts_with("w") || scheme.starts_with("w8"))
    return "";
  return "w8" + scheme.drop_front(2).split('-').first.str() + "-channel-sym";
}

qrt::OrderedJson recipeOf(const SchemeOptions &options,
                          const calibration::CalibrationStage *calibration, bool files) {
  qrt::OrderedJson recipe = qrt::OrderedJson::object();
  if (!options.scheme.empty()) {
    recipe["scheme"] = options.scheme;
    if (llvm::StringRef(options.scheme).starts_with("w"))
      recipe["fallback-group"] = options.fallbackGroup;
  }
  const std::string tables = defaultTableScheme(options.scheme);
  if (!options.headScheme.empty() || !tables.empty())
    recipe["lm-head-type"] = options.headScheme.empty() ? tables : options.headScheme;
  if (!options.embedScheme.empty() || !tables.empty())
    recipe["embed-type"] = options.embedScheme.empty() ? tables : options.embedScheme;
  if (!options.keepFp16.empty())
    recipe["keep-fp16"] = options.keepFp16;
  if (!options.tensorType.empty())
    recipe["tensor-type"] = options.tensorType;
  if (!options.ignore.empty())
    recipe["ignore"] = options.ignore;
  if (const qrt::KvSpec &kv = options.kv; kv != qrt::KvSpec()) {
    recipe["kv-type"] = "k=" + qrt::kvTypeName(kv.keys) + ",v=" + qrt::kvTypeName(kv.values);
    if (kv.isCoded()) {
      recipe["kv-sink"] = kv.sink;
      recipe["kv-window"] = kv.recent;
    }
  }
  if (options.alternates)
    recipe["with-fp16"] = "all";
  if (options.outliers > 0)
    recipe["outliers"] = options.outliers;
  const RotationOptions &rotation = options.rotation;
  if (rotation.residual || rotation.values)
    recipe["rotate"] = !rotation.values ? "residual" : !rotation.residual ? "values" : "all";
  if (rotation.down)
    recipe["rotate-down"] = true;
  if (rotation.any())
    recipe["rotate-seed"] = rotation.seed;
  recipe["algo"] = options.algorithm;
  if (options.mse)
    recipe["mse"] = true;
  if (!options.quantizePasses.empty())
    recipe["quantize-passes"] = options.quantizePasses;
  if (calibration)
    addCalibration(recipe, *calibration,
                   options.calibrates() && calibration->quantizes(calibration::Algorithm::Gptq),
                   files);
  return recipe;
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
  if (calibration && !calibration->self.prompts.empty()) {
    QRT_ASSIGN_OR_RETURN(qrt::OrderedJson data, describeFile(calibration->self.prompts));
    data["traces"] = "written by the model";
    data["sequences"] = calibration->sequences;
    data["tokens"] = calibration->tokens;
    provenance["calibration"] = std::move(data);
  } else if (calibration && !calibration->data.file.empty()) {
    QRT_ASSIGN_OR_RETURN(qrt::OrderedJson data, describeFile(calibration->data.file));
    data["sequences"] = calibration->sequences;
    data["tokens"] = calibration->tokens;
    provenance["calibration"] = std::move(data);
  }
  provenance["verified"] = verification;
  return qrt::dumpJson(provenance, 2);
}

} // namespace qopt
