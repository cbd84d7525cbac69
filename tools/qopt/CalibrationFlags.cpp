//===- CalibrationFlags.cpp - Flags of calibrated quantization -------------------------------===//
#include "CalibrationFlags.h"

#include <cmath>
#include <limits>

using namespace llvm;

namespace qopt {

static auto category() { return cl::cat(optionCategory()); }

CalibrationFlags::CalibrationFlags()
    : algorithm("algo", cl::value_desc("rtn|gptq"),
                cl::desc("How weights are quantized; gptq is the default with --calib, else rtn"),
                category()),
      data(
          "calib", cl::value_desc("FILE"),
          cl::desc("Calibration data: .npy or .json token ids, .jsonl ids, text or messages, .txt"),
          category()),
      mask("calib-mask", cl::value_desc("FILE.npy"),
           cl::desc("A weight per token of --calib; 0: only context"), category()),
      samples("nsamples", cl::desc("Most calibration samples (128)"), cl::init(128), category()),
      length("seqlen", cl::desc("Most tokens of a sample; longer ones are cut (2048)"),
             cl::init(2048), category()),
      seed("seed", cl::desc("0: samples in the order of the file; else shuffled"), cl::init(0),
           category()),
      damping("damp", cl::desc("Added to the Hessian's diagonal, as a part of its mean (0.01)"),
              cl::init(0.01), category()),
      rounds("rounds", cl::desc("Rounds of scale refit and coordinate descent behind GPTQ (2)"),
             cl::init(2), category()),
      workDirectory("work-dir", cl::value_desc("DIR"),
                    cl::desc("Keep finished layers (for --resume) and spilled activations here"),
                    category()),
      maxMemory("max-memory", cl::value_desc("BYTES[k|m|g]"),
                cl::desc("Spill activations so that calibration stays below this"), category()),
      resume("resume", cl::desc("Go on with what an interrupted run left in --work-dir"),
             category()),
      force("force", cl::desc("Resume even though model, data or options differ"), category()) {}

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

qrt::Status CalibrationFlags::read(CompileOptions &options, int threads) {
  std::string chosen = algorithm.getNumOccurrences() ? StringRef(algorithm).lower()
                       : data.getNumOccurrences()    ? "gptq"
                                                     : "rtn";
  if (chosen != "rtn" && chosen != "gptq")
    return qrt::invalidArgument("--algo: expects rtn or gptq, got '" + algorithm + "'");
  options.scheme.algorithm = chosen;
  if (chosen == "rtn") {
    for (const cl::Option *flag :
         {static_cast<const cl::Option *>(&data), static_cast<const cl::Option *>(&mask),
          static_cast<const cl::Option *>(&samples), static_cast<const cl::Option *>(&length),
          static_cast<const cl::Option *>(&seed), static_cast<const cl::Option *>(&damping),
          static_cast<const cl::Option *>(&rounds), static_cast<const cl::Option *>(&workDirectory),
          static_cast<const cl::Option *>(&maxMemory), static_cast<const cl::Option *>(&resume),
          static_cast<const cl::Option *>(&force)})
      if (flag->getNumOccurrences())
        return qrt::invalidArgument("--" + flag->ArgStr.str() + " has no effect with --algo rtn");
    return qrt::Status::ok();
  }
  if (data.empty())
    return qrt::invalidArgument("--algo " + chosen + " needs --calib FILE; data is never made up");
  if (options.scheme.mse)
    return qrt::invalidArgument("--mse has no effect with --algo " + chosen);
  if (options.scheme.scheme.empty() && options.scheme.tensorType.empty())
    return qrt::invalidArgument("--algo " + chosen + " needs a scheme with quantized weights");
  if (samples < 1 || length < 1)
    return qrt::invalidArgument("--nsamples and --seqlen expect 1 or more");
  if (!(damping > 0) || damping > 1)
    return qrt::invalidArgument("--damp: expects more than 0 and at most 1");
  if (rounds < 0 || rounds > 100)
    return qrt::invalidArgument("--rounds: expects 0 to 100");
  if ((resume || force) && workDirectory.empty())
    return qrt::invalidArgument("--resume and --force need --work-dir");
  if (force && !resume)
    return qrt::invalidArgument("--force has no effect without --resume");
  auto stage = std::make_shared<calibration::CalibrationStage>();
  stage->data.file = data;
  stage->data.maskFile = mask;
  stage->data.samples = samples;
  stage->data.length = length;
  stage->data.seed = seed;
  stage->quantizer.gptq.damping = damping;
  stage->quantizer.gptq.rounds = rounds;
  stage->quantizer.sweep.threads = threads;
  stage->quantizer.workDirectory = workDirectory;
  stage->quantizer.resume = resume;
  stage->quantizer.force = force;
  if (!maxMemory.empty()) {
    QRT_ASSIGN_OR_RETURN(stage->quantizer.maxMemory, parseBytes(maxMemory, "max-memory"));
  }
  options.calibration = std::move(stage);
  return qrt::Status::ok();
}

} // namespace qopt
