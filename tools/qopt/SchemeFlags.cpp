//===- SchemeFlags.cpp - Flags of the weights' schemes ---------------------------------------===//
#include "SchemeFlags.h"

#include "CalibrationFlags.h"

#include "qopt/Dialect/QIR/IR/QIRAttributes.h"

using namespace llvm;

namespace qopt {

static constexpr const char *presetNames[] = {"f32",   "bf16",  "f16",  "w8a16", "w4a16",
                                              "w3a16", "w2a16", "w8a8", "w4a8"};

SchemeFlags::SchemeFlags()
    : scheme("scheme",
             cl::desc("f32, f16, bf16 or w<BITS>a<BITS>[-g<GROUP>|-channel][-sym|-asym]; "
                      "without one, weights stay as the source has them"),
             cl::cat(optionCategory())),
      groupSize("group-size", cl::value_desc("32|64|128|channel"),
                cl::desc("Elements of K that share a scale"), cl::cat(optionCategory())),
      sym("sym", cl::desc("Symmetric codes, no zero points"), cl::cat(optionCategory())),
      asym("asym", cl::desc("Asymmetric codes with zero points"), cl::cat(optionCategory())),
      fallbackGroup(
          "fallback-group",
          cl::desc(
              "Take a smaller group for weights whose K the group does not divide; the default "
              "without --group-size"),
          cl::cat(optionCategory())),
      mse("mse", cl::desc("Search the scales that minimise the squared error"),
          cl::cat(optionCategory())),
      keepFp16("keep-fp16", cl::value_desc("REGEX"), cl::desc("Keep weights of these names in f16"),
               cl::cat(optionCategory())),
      tensorType("tensor-type", cl::value_desc("REGEX=SCHEME"),
                 cl::desc("Scheme of weights by name; first match wins"),
                 cl::cat(optionCategory())),
      ignore("ignore", cl::value_desc("NAME|re:REGEX"),
             cl::desc("Leave these weights as the source has them"), cl::cat(optionCategory())),
      headType("lm-head-type", cl::value_desc("SCHEME"), cl::desc("Scheme of the output head"),
               cl::cat(optionCategory())),
      embedType("embed-type", cl::value_desc("SCHEME"), cl::desc("Scheme of the embedding"),
                cl::cat(optionCategory())) {
  for (const char *preset : presetNames) {
    descriptions.push_back(std::string("Shorthand for --scheme ") + preset);
    presets.push_back(std::make_unique<cl::opt<bool>>(
        StringRef(preset), cl::desc(descriptions.back()), cl::cat(optionCategory())));
  }
}

void SchemeFlags::addTo(RecipeFlags &keys) {
  for (auto *text : {&scheme, &groupSize, &headType, &embedType})
    keys.add(*text);
  for (auto *flag : {&sym, &asym, &fallbackGroup, &mse})
    keys.add(*flag);
  keys.add(keepFp16);
  keys.add(tensorType);
  keys.add(ignore);
  for (const auto &preset : presets) {
    keys.hide(scheme, *preset);
    if (!preset->ArgStr.starts_with("w")) // float weights: nothing to refine
      for (const cl::Option *refined :
           std::initializer_list<const cl::Option *>{&groupSize, &sym, &asym, &mse, &fallbackGroup})
        keys.hide(*refined, *preset);
  }
  keys.hide(sym, asym);
  keys.hide(asym, sym);
  keys.hide(fallbackGroup, groupSize);
}

namespace {

/// One scheme text from --scheme or a preset; empty for none.
qrt::Result<std::string> chooseScheme(const SchemeFlags &flags) {
  SmallVector<std::string> chosen;
  if (flags.scheme.getNumOccurrences())
    chosen.push_back(StringRef(flags.scheme).lower());
  for (const auto &preset : flags.presets)
    if (*preset)
      chosen.push_back(preset->ArgStr.str());
  if (chosen.size() > 1)
    return qrt::invalidArgument("two schemes, '" + chosen[0] + "' and '" + chosen[1] +
                                "'; choose one");
  return chosen.empty() ? std::string() : chosen[0];
}

/// The complete text of a scheme, with the flags that refine it.
qrt::Result<std::string> resolveScheme(const SchemeFlags &flags, std::string text) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  context.loadDialect<qir::QIRDialect>();
  bool refined = flags.groupSize.getNumOccurrences() || flags.sym || flags.asym;
  if (text.empty() && (refined || flags.mse))
    return qrt::invalidArgument(
        "--group-size, --sym, --asym and --mse need a scheme with quantized weights");
  if (text.empty())
    return text;
  std::string error;
  qir::SchemeAttr scheme = qir::SchemeAttr::fromText(&context, text, error);
  if (!scheme)
    return qrt::invalidArgument("--scheme: " + error);
  if ((refined || flags.mse) && !scheme.isInt())
    return qrt::invalidArgument("--group-size, --sym, --asym and --mse have no effect on " + text);
  if (flags.sym && flags.asym)
    return qrt::invalidArgument("--sym and --asym contradict each other");
  if (!refined)
    return scheme.toText();
  std::string group =
      scheme.getGroupSize() ? "g" + std::to_string(scheme.getGroupSize()) : std::string("channel");
  if (flags.groupSize.getNumOccurrences())
    group = flags.groupSize == "channel" ? "channel" : "g" + flags.groupSize;
  bool symmetric = flags.sym || (!flags.asym && scheme.getSymmetric());
  text = "w" + std::to_string(scheme.getWeightBits()) + "a" +
         std::to_string(scheme.getActivationBits()) + "-" + group + (symmetric ? "-sym" : "-asym");
  scheme = qir::SchemeAttr::fromText(&context, text, error);
  if (!scheme)
    return qrt::invalidArgument("--group-size: " + error);
  return scheme.toText();
}

/// A scheme given for one kind of tensor: complete text, or an error that names the flag.
qrt::Result<std::string> checkScheme(StringRef flag, StringRef text) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  context.loadDialect<qir::QIRDialect>();
  std::string error;
  qir::SchemeAttr scheme = qir::SchemeAttr::fromText(&context, text.lower(), error);
  if (!scheme)
    return qrt::invalidArgument("--" + flag.str() + ": " + error);
  return scheme.toText();
}

} // namespace

qrt::Status SchemeFlags::read(SchemeOptions &schemes) const {
  QRT_ASSIGN_OR_RETURN(std::string text, chooseScheme(*this));
  QRT_ASSIGN_OR_RETURN(schemes.scheme, resolveScheme(*this, text));
  schemes.mse = mse;
  schemes.fallbackGroup = !groupSize.getNumOccurrences() && text.find("-g") == text.npos;
  if (fallbackGroup.getNumOccurrences()) {
    if (!StringRef(schemes.scheme).starts_with("w"))
      return qrt::invalidArgument("--fallback-group needs a scheme with quantized weights");
    schemes.fallbackGroup = fallbackGroup;
  }
  schemes.keepFp16.assign(keepFp16.begin(), keepFp16.end());
  schemes.ignore.assign(ignore.begin(), ignore.end());
  if (headType.getNumOccurrences()) {
    QRT_ASSIGN_OR_RETURN(schemes.headScheme, checkScheme("lm-head-type", headType));
  }
  if (embedType.getNumOccurrences()) {
    QRT_ASSIGN_OR_RETURN(schemes.embedScheme, checkScheme("embed-type", embedType));
  }
  for (const std::string &rule : tensorType) {
    auto [pattern, type] = StringRef(rule).rsplit('=');
    if (pattern.empty() || type.empty())
      return qrt::invalidArgument("--tensor-type: expects REGEX=SCHEME, got '" + rule + "'");
    QRT_ASSIGN_OR_RETURN(std::string resolved, checkScheme("tensor-type", type));
    schemes.tensorType.push_back(pattern.str() + "=" + resolved);
  }
  return qrt::Status::ok();
}

} // namespace qopt
