//===- ReadCalibrationFlags.cpp - What the flags of calibrated quantization ask for -----------===//
#include "CalibrationFlags.h"

#include <cmath>
#include <limits>

using namespace llvm;

namespace qopt {

qrt::Result<int64_t> parseBytes(StringRef text, StringRef flag) {
  StringRef rest = text;
  rest.consume_back_insensitive("b");
  rest.consume_back_insensitive("i");
  int shift = 0;
  if (rest.consume_back_insensitive("k"))
    shift = 10;
  else if (rest.consume_back_insensitive("m"))
    shift = 20;
  else if (rest.consume_back_insensitive("g"))
    shift = 30;
  double number = 0;
  if (rest.trim().getAsDouble(number) || !(number > 0) || std::ldexp(number, shift) > 1e18)
    return qrt::invalidArgument("--" + flag.str() + ": expects bytes as in 8GiB or 500m, got '" +
                                text.str() + "'");
  return static_cast<int64_t>(std::ldexp(number, shift));
}

/// "auto" (5 % of the weights), "12" linears, or "7.5%" of the weights.
static qrt::Result<calibration::CriticalAllowance> parseAllowance(StringRef flag, StringRef text) {
  calibration::CriticalAllowance allowance;
  StringRef rest = text;
  double part = 0;
  int64_t count = 0;
  if (text == "auto")
    allowance.part = 0.05;
  else if (rest.consume_back("%") && !rest.getAsDouble(part) && part > 0 && part <= 100)
    allowance.part = part / 100;
  else if (!text.getAsInteger(10, count) && count > 0)
    allowance.count = count;
  else
    return qrt::invalidArgument(flag.str() +
                                ": expects auto, a number of linears or a share as in "
                                "5%, got '" +
                                text.str() + "'");
  return allowance;
}

qrt::Status CalibrationFlags::readMixed(calibration::MixedOptions &mixed) {
  mixed.scoresFile = scores;
  if (targetBpw.getNumOccurrences()) {
    if (!(targetBpw > 0) || targetBpw > 32)
      return qrt::invalidArgument("--target-bpw: expects bits per weight, as in 3.5");
    mixed.targetBpw = targetBpw;
  }
  if (targetSize.getNumOccurrences()) {
    QRT_ASSIGN_OR_RETURN(mixed.targetBytes, parseBytes(targetSize, "target-size"));
  }
  if (keepCritical.getNumOccurrences()) {
    if (mixed.targetBpw || mixed.targetBytes || fit.getNumOccurrences())
      return qrt::invalidArgument("--keep-critical has no effect with a target, which may choose "
                                  "f16 for any linear");
    QRT_ASSIGN_OR_RETURN(mixed.critical, parseAllowance("--keep-critical", keepCritical));
  }
  mixed.allAlternates = withFp16 == "all";
  StringRef second = withFp16;
  if (second.consume_front("critical")) {
    if (!second.empty() && !second.consume_front(":"))
      return qrt::invalidArgument("--with-fp16: expects all, critical, critical:N or critical:P%, "
                                  "got '" +
                                  withFp16 + "'");
    QRT_ASSIGN_OR_RETURN(mixed.alternates,
                         parseAllowance("--with-fp16 critical", second.empty() ? "auto" : second));
  }
  return qrt::Status::ok();
}

/// A share as in 0.005 or 0.5%, for all linears, or auto, for the allocation.
qrt::Status CalibrationFlags::readOutliers(CompileOptions &options,
                                           calibration::CalibrationStage &stage) {
  calibration::SensitivityOptions &scored = stage.mixed.sensitivity;
  const std::optional<double> kept = stage.mixed.critical.part;
  scored.outliersOfOwnBits = stage.mixed.critical.isSet();
  const bool rounds = options.scheme.algorithm == "rtn" && !options.scheme.mse;
  // By default where a file may have them: of whole linears, f16 rarely makes up for much.
  const bool byDefault = kept && (stage.quantizesLinears || rounds);
  if (outliers == "none" && !kept)
    return qrt::invalidArgument("--outliers none needs a share of --keep-critical");
  if (!outliers.getNumOccurrences() ? !byDefault : outliers == "none")
    return qrt::Status::ok();
  if (outliers == "auto" || !outliers.getNumOccurrences()) {
    if (!stage.mixed.mixes() || stage.mixed.critical.count)
      return qrt::invalidArgument("--outliers auto needs a target or a share of --keep-critical");
    if (kept && rounds) {
      stage.quantizesLinears = true;
      stage.quantizer.algorithm = calibration::Algorithm::Rtn;
    }
    if (!stage.quantizesLinears)
      return qrt::invalidArgument("--outliers are chosen by calibration, which --algo " +
                                  options.scheme.algorithm + " does not do");
    scored.outlierShares = {0.005, 0.02};
    if (kept)
      scored.outlierShares = calibration::criticalOutlierShares(*kept);
    return qrt::Status::ok();
  }
  StringRef rest = outliers;
  const bool percent = rest.consume_back("%");
  double share = 0;
  if (rest.getAsDouble(share) || !(share > 0) || share > (percent ? 50 : 0.5))
    return qrt::invalidArgument(
        "--outliers: expects a share of the weights of at most half of them, "
        "as in 0.005 or 0.5%, auto or none, got '" +
        outliers + "'");
  if (stage.mixed.mixes())
    return qrt::invalidArgument("--outliers " + outliers +
                                " does not go with a target or --keep-critical, which would not "
                                "count it; --outliers auto does");
  if (!stage.quantizesLinears)
    return qrt::invalidArgument("--outliers are chosen by calibration, which --algo " +
                                options.scheme.algorithm + " does not do");
  options.scheme.outliers = percent ? share / 100 : share;
  return qrt::Status::ok();
}

/// Behind the flags that say what the sweep may use.
qrt::Status CalibrationFlags::readActivationScales(const CompileOptions &options,
                                                   calibration::CalibrationStage &stage) {
  StringRef word = activationScales;
  if (word.empty() || word == "dynamic")
    return qrt::Status::ok();
  calibration::ActivationOptions made;
  std::optional<quantization::ActivationObserver> observer = made.observer;
  if (!word.consume_front("static"))
    observer = std::nullopt;
  else if (word.consume_front(":") || !word.empty())
    observer = calibration::activationObserver(word);
  if (!observer)
    return qrt::invalidArgument("--act-scales: expects dynamic, static, static:absmax, "
                                "static:percentile or static:mse, got '" +
                                activationScales + "'");
  if (data.empty() && selfPrompts.empty())
    return qrt::invalidArgument("--act-scales static needs --calib FILE; data is never made up");
  if (!StringRef(options.scheme.scheme).contains("a8") && options.scheme.tensorType.empty())
    return qrt::invalidArgument("--act-scales static has no effect on " + options.scheme.scheme +
                                ": its activations are not quantized to 8 bits");
  made.observer = *observer;
  made.sweep = stage.quantizer.sweep;
  made.maxMemory = stage.quantizer.maxMemory;
  made.sweep.spillDirectory = workDirectory;
  stage.activations = made;
  return qrt::Status::ok();
}

qrt::Status CalibrationFlags::readFit(calibration::FitTarget &target) {
  if (context.getNumOccurrences() && !fit.getNumOccurrences())
    return qrt::invalidArgument("--ctx has no effect without --fit");
  if (!fit.getNumOccurrences())
    return qrt::Status::ok();
  QRT_ASSIGN_OR_RETURN(target.bytes, parseBytes(fit, "fit"));
  if (context < 0)
    return qrt::invalidArgument("--ctx: expects a number of tokens");
  target.context = context;
  return qrt::Status::ok();
}

qrt::Status CalibrationFlags::readData(calibration::CalibrationStage &stage) {
  stage.data.file = data;
  stage.data.maskFile = mask;
  if (tokenWeights.getNumOccurrences()) {
    QRT_ASSIGN_OR_RETURN(stage.tokenWeights, calibration::TokenWeights::parse(tokenWeights));
  }
  if (selfPrompts.empty()) {
    for (const cl::Option *flag :
         std::initializer_list<const cl::Option *>{&selfTokens, &selfTemperature, &selfSave})
      if (flag->getNumOccurrences())
        return qrt::invalidArgument("--" + flag->ArgStr.str() +
                                    " has no effect without "
                                    "--calib-self");
    return qrt::Status::ok();
  }
  if (!data.empty() || !mask.empty())
    return qrt::invalidArgument("--calib-self writes its own data; give --calib or --calib-self");
  if (selfTokens < 1)
    return qrt::invalidArgument("--calib-self-tokens: expects 1 or more");
  if (!(selfTemperature >= 0) || selfTemperature > 10)
    return qrt::invalidArgument("--calib-self-temp: expects 0 to 10");
  stage.self = {selfPrompts, selfTokens, selfTemperature, selfSave};
  return qrt::Status::ok();
}

qrt::Status CalibrationFlags::readQuantizer(calibration::CalibrationStage &stage, int threads) {
  if (samples < 1 || length < 1)
    return qrt::invalidArgument("--nsamples and --seqlen expect 1 or more");
  if (!(damping > 0) || damping > 1)
    return qrt::invalidArgument("--damp: expects more than 0 and at most 1");
  if (rounds < -1 || rounds > 100)
    return qrt::invalidArgument("--rounds: expects 0 to 100, or -1");
  if ((resume || force) && workDirectory.empty())
    return qrt::invalidArgument("--resume and --force need --work-dir");
  if (force && !resume)
    return qrt::invalidArgument("--force has no effect without --resume");
  QRT_RETURN_IF_ERROR(readData(stage));
  stage.data.samples = samples;
  stage.data.length = length;
  stage.data.seed = seed;
  calibration::CalibratedOptions &quantizer = stage.quantizer;
  quantizer.gptq.damping = stage.mixed.sensitivity.gptq.damping = damping;
  quantizer.gptq.rounds = rounds;
  if (arithmetic.getNumOccurrences() && (floatMoments || !statistics.empty()))
    return qrt::invalidArgument("--calib-arithmetic has no effect with --stats or --float-moments: "
                                "the sweep is that of the float model");
  std::optional<calibration::SweepArithmetic> known = calibration::parseSweepArithmetic(arithmetic);
  if (!known)
    return qrt::invalidArgument("--calib-arithmetic: expects a8, a16 or f32, got '" + arithmetic +
                                "'");
  quantizer.arithmetic = *known;
  quantizer.workDirectory = workDirectory;
  quantizer.resume = resume;
  quantizer.force = force;
  int64_t limit = 0;
  if (!maxMemory.empty()) {
    QRT_ASSIGN_OR_RETURN(limit, parseBytes(maxMemory, "max-memory"));
  }
  quantizer.maxMemory = stage.awq.maxMemory = stage.smooth.maxMemory =
      stage.mixed.sensitivity.maxMemory = limit;
  quantizer.sweep.threads = threads;
  stage.awq.sweep = stage.smooth.sweep = stage.mixed.sensitivity.sweep = quantizer.sweep;
  stage.awq.sweep.spillDirectory = stage.smooth.sweep.spillDirectory =
      stage.mixed.sensitivity.sweep.spillDirectory = workDirectory;
  return qrt::Status::ok();
}

qrt::Status CalibrationFlags::read(CompileOptions &options, int threads,
                                   const RecipeFlags &recipe) {
  std::string chosen = algorithm.getNumOccurrences() ? StringRef(algorithm).lower()
                       : data.getNumOccurrences() || selfPrompts.getNumOccurrences() ? "gptq"
                                                                                     : "rtn";
  QRT_RETURN_IF_ERROR(rotation.read(options.scheme.rotation, chosen));
  static constexpr StringLiteral known[] = {"rtn", "hqq",      "scale",  "gptq",
                                            "awq", "awq+gptq", "smooth", "smooth+gptq"};
  if (!is_contained(known, StringRef(chosen)))
    return qrt::invalidArgument(
        "--algo: expects rtn, hqq, scale, gptq, awq, awq+gptq, smooth or smooth+gptq, or one of "
        "them behind rotate+, got '" +
        algorithm + "'");
  options.scheme.algorithm = chosen;
  const bool calibrates = options.scheme.calibrates();
  auto stage = std::make_shared<calibration::CalibrationStage>();
  options.scheme.alternates = withFp16 == "all";
  if (withFp16.getNumOccurrences() && withFp16 != "all" &&
      !StringRef(withFp16).starts_with("critical"))
    return qrt::invalidArgument("--with-fp16: expects all, critical, critical:N or critical:P%, "
                                "got '" +
                                withFp16 + "'");
  QRT_RETURN_IF_ERROR(readMixed(stage->mixed));
  QRT_RETURN_IF_ERROR(readFit(stage->mixed.fit));
  if (gate.getNumOccurrences()) {
    QRT_ASSIGN_OR_RETURN(stage->gate, qrt::QualityGate::parse(gate, calibration::gateMetrics));
    if (data.empty() && selfPrompts.empty())
      return qrt::invalidArgument("--gate needs --calib FILE");
  }
  if (deriveMarkers && data.empty() && selfPrompts.empty())
    return qrt::invalidArgument("--derive-markers needs --calib FILE with reasoning traces");
  if (deriveMarkers && !options.synthetic.empty())
    return qrt::invalidArgument("--derive-markers: a synthetic model has no tokenizer");
  if (deriveMarkers && options.emit)
    return qrt::invalidArgument("--derive-markers has no effect with --emit");
  stage->deriveMarkers = deriveMarkers;
  const bool fixesScales = StringRef(activationScales).starts_with("static");
  const bool needed = calibrates || stage->mixed.enabled() || stage->gate.isSet() ||
                      stage->deriveMarkers || fixesScales;
  if (!needed) {
    if (std::string flag = calibrationFlag(recipe); !flag.empty())
      return qrt::invalidArgument(flag + " has no effect with --algo " + chosen);
  } else if (!stage->mixed.enabled() && scores.getNumOccurrences()) {
    return qrt::invalidArgument("--scores has no effect without a target, --keep-critical or "
                                "--with-fp16 critical");
  }
  if (chosen != "rtn" && options.scheme.mse)
    return qrt::invalidArgument("--mse has no effect with --algo " + chosen);
  if (options.scheme.scheme.empty() && stage->mixed.mixes())
    options.scheme.scheme = "w4a16-g128-sym";
  if (chosen != "rtn" && options.scheme.scheme.empty() && options.scheme.tensorType.empty())
    return qrt::invalidArgument("--algo " + chosen + " needs a scheme with quantized weights");
  stage->quantizesLinears = calibrates && chosen != "smooth";
  stage->mixed.sensitivity.roundsToNearest = !stage->quantizesLinears;
  QRT_RETURN_IF_ERROR(readOutliers(options, *stage));
  if (!needed)
    return readActivationScales(options, *stage);
  stage->statisticsFile = statistics;
  stage->floatMoments = floatMoments || !statistics.empty();
  if (stage->floatMoments && !calibrates && !stage->mixed.enabled())
    return qrt::invalidArgument((statistics.empty() ? "--float-moments" : "--stats") +
                                (" has no effect with --algo " + chosen));
  if (data.empty() && selfPrompts.empty() &&
      ((calibrates && !stage->statisticsKnown()) || (scores.empty() && stage->mixed.enabled())))
    return qrt::invalidArgument(
        (calibrates ? "--algo " + chosen : std::string("choosing linears")) +
        " needs --calib FILE; data is never made up");
  QRT_RETURN_IF_ERROR(readQuantizer(*stage, threads));
  stage->foldAwq = StringRef(chosen).starts_with("awq");
  stage->foldSmooth = StringRef(chosen).starts_with("smooth");
  QRT_RETURN_IF_ERROR(readActivationScales(options, *stage));
  stage->smooth.alpha = smoothAlpha;
  if (smoothAlpha.getNumOccurrences() && !stage->foldSmooth)
    return qrt::invalidArgument("--smooth-alpha has no effect with --algo " + chosen);
  if (!(smoothAlpha >= 0) || smoothAlpha > 1)
    return qrt::invalidArgument("--smooth-alpha: expects 0 to 1");
  if (stage->foldSmooth && !StringRef(options.scheme.scheme).contains("a8") &&
      options.scheme.tensorType.empty())
    return qrt::invalidArgument("--algo " + chosen + " has no effect on " + options.scheme.scheme +
                                ": its activations are not quantized");
  if (chosen == "scale" || chosen == "awq")
    stage->quantizer.algorithm = calibration::Algorithm::Scale;
  if (gptaqStrength.getNumOccurrences() && !gptaq)
    return qrt::invalidArgument("--gptaq-strength has no effect without --gptaq");
  if (gptaq) {
    if (!stage->quantizes(calibration::Algorithm::Gptq))
      return qrt::invalidArgument("--gptaq has no effect with --algo " + chosen);
    if (stage->floatMoments)
      return qrt::invalidArgument(
          "--gptaq corrects for quantized layers before a layer; with --stats "
          "and --float-moments there are none");
    if (!(gptaqStrength > 0) || gptaqStrength > 1)
      return qrt::invalidArgument("--gptaq-strength: expects more than 0 and at most 1");
    stage->quantizer.targetCorrection = gptaqStrength;
  }
  options.calibration = std::move(stage);
  return qrt::Status::ok();
}

} // namespace qopt
