//===- CalibrationFlags.cpp - The flags of calibrated quantization ----------------------------===//
#include "CalibrationFlags.h"

using namespace llvm;

namespace qopt {

static auto category() { return cl::cat(optionCategory()); }

CalibrationFlags::CalibrationFlags()
    : algorithm("algo", cl::value_desc("rtn|hqq|scale|gptq|awq|awq+gptq|smooth|smooth+gptq"),
                cl::desc("How weights are quantized; gptq is the default with --calib, else rtn. "
                         "With rotate+ before it, --rotate is on"),
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
      rounds("rounds",
             cl::desc("Rounds of scale refit and coordinate descent behind GPTQ (-1: 1 from 4 bits "
                      "on, else 4)"),
             cl::init(-1), category()),
      arithmetic("calib-arithmetic", cl::value_desc("a8|a16|f32"),
                 cl::desc("How the sweep computes quantized linears and Hessians (a8)"),
                 cl::init("a8"), category()),
      workDirectory("work-dir", cl::value_desc("DIR"),
                    cl::desc("Keep finished layers (for --resume) and spilled activations here"),
                    category()),
      maxMemory("max-memory", cl::value_desc("BYTES[k|m|g]"),
                cl::desc("Spill activations so that calibration stays below this"), category()),
      resume("resume", cl::desc("Go on with what an interrupted run left in --work-dir"),
             category()),
      force("force", cl::desc("Resume even though model, data or options differ"), category()),
      deriveMarkers("derive-markers",
                    cl::desc("Store a marker table of the words that quantization makes likelier "
                             "on the traces of --calib"),
                    category()),
      targetBpw("target-bpw", cl::value_desc("X"),
                cl::desc("Mix precisions to at most X bits per weight of the linears"), category()),
      targetSize("target-size", cl::value_desc("BYTES[k|m|g]"),
                 cl::desc("Mix precisions so that the file stays below this"), category()),
      keepCritical(
          "keep-critical", cl::value_desc("auto|N|P%"),
          cl::desc("Keep the N linears, or P % of the weights (auto: 5 %), that matter most "
                   "in f16"),
          category()),
      scores("scores", cl::value_desc("FILE"),
             cl::desc("Sensitivity scores for the three above: read, or written if missing"),
             category()),
      withFp16("with-fp16", cl::value_desc("all|critical|critical:N|critical:P%"),
               cl::desc("Also store the 16-bit weights of all quantized linears, or of the most "
                        "critical ones (5 %), for qrun's FP16 planning and rescue"),
               category()),
      gate("gate", cl::value_desc("kl<=X,top1>=Y"),
           cl::desc("Compare logits on the first tokens of --calib before and after; exit code 8 "
                    "where a bound is not kept"),
           category()),
      statistics(
          "statistics", cl::value_desc("FILE"),
          cl::desc(
              "Also --stats. Moments of the float model: read, or measured and written if missing; "
              "no tokens are run where they are known"),
          category()),
      floatMoments("float-moments",
                   cl::desc("Quantize under the moments of the float model, as with --stats, not "
                            "under those behind quantized layers"),
                   category()),
      fit("fit", cl::value_desc("BYTES[k|m|g]"),
          cl::desc("Mix precisions so that weights, KV cache and activations of one sequence of "
                   "--ctx tokens stay below this"),
          category()),
      context("ctx", cl::value_desc("N"),
              cl::desc("Tokens that --fit counts on; 0: what the model was made for"), cl::init(0),
              category()),
      tokenWeights("calib-weights", cl::value_desc("marker=X,entropy=Y,end-of-think=Z"),
                   cl::desc("Let positions before markers, before high-entropy tokens and before "
                            "the end of thinking count X, Y and Z times"),
                   category()),
      selfPrompts(
          "calib-self", cl::value_desc("PROMPTS.jsonl"),
          cl::desc("Calibrate on what the model itself writes behind these prompts, in full "
                   "precision"),
          category()),
      selfTokens("calib-self-tokens", cl::value_desc("N"),
                 cl::desc("Most tokens that it writes behind a prompt (512)"), cl::init(512),
                 category()),
      selfTemperature(
          "calib-self-temp", cl::value_desc("T"),
          cl::desc("Temperature of that text (0.6), with --seed; 0: greedy, which leaves "
                   "out what the model rarely writes"),
          cl::init(0.6), category()),
      selfSave("calib-self-save", cl::value_desc("FILE.jsonl"),
               cl::desc("Keep the traces, to calibrate again with --calib FILE.jsonl"), category()),
      gptaq("gptaq",
            cl::desc("Correct each layer's target for the error of the quantized layers before it; "
                     "the float model runs beside the sweep"),
            category()),
      gptaqStrength("gptaq-strength", cl::value_desc("X"), cl::desc("How far, 0 to 1 (1)"),
                    cl::init(1.0), category()),
      smoothAlpha("smooth-alpha", cl::value_desc("X"),
                  cl::desc("SmoothQuant: 0 leaves weights as they are, 1 makes activations even "
                           "(0.5)"),
                  cl::init(0.5), category()),
      outliers(
          "outliers", cl::value_desc("SHARE|P%|auto|none"),
          cl::desc(
              "Keep this share of each quantized weight in f16, as a sparse matrix beside "
              "the codes; auto: where a target or a share of --keep-critical (its default) "
              "finds it worth its bytes or weights; none: --keep-critical keeps whole linears"),
          category()),
      activationScales("act-scales", cl::value_desc("dynamic|static[:absmax|:percentile|:mse]"),
                       cl::desc("Scales of 8-bit activations: of each token, or fixed by "
                                "calibration (dynamic)"),
                       category()) {}

void CalibrationFlags::addTo(RecipeFlags &recipe) {
  for (auto *text :
       {&algorithm, &data, &mask, &targetSize, &keepCritical, &scores, &withFp16, &gate,
        &statistics, &fit, &tokenWeights, &selfPrompts, &outliers, &activationScales})
    recipe.add(*text);
  recipe.add(rotation.rotate);
  recipe.add(rotation.down);
  recipe.add(rotation.seed);
  recipe.add(floatMoments);
  recipe.add(deriveMarkers);
  for (auto *integer : {&samples, &length, &context, &selfTokens})
    recipe.add(*integer);
  recipe.add(seed);
  recipe.add(damping);
  recipe.add(gptaq);
  recipe.add(gptaqStrength);
  recipe.add(smoothAlpha);
  recipe.add(selfTemperature);
  recipe.hide(data, selfPrompts);
  recipe.hide(selfPrompts, data);
  recipe.hide(selfTokens, data);
  recipe.hide(selfTemperature, data);
  recipe.add(targetBpw);
  recipe.add(rounds);
  recipe.add(arithmetic);
  for (const cl::Option *target :
       std::initializer_list<const cl::Option *>{&targetBpw, &targetSize, &fit}) {
    recipe.hide(keepCritical, *target);
    recipe.hide(*target, keepCritical);
  }
}

std::string CalibrationFlags::calibrationFlag(const RecipeFlags &recipe) const {
  const cl::Option *flags[] = {&data,          &mask,          &samples,         &length,
                               &seed,          &damping,       &rounds,          &arithmetic,
                               &workDirectory, &maxMemory,     &resume,          &force,
                               &scores,        &statistics,    &floatMoments,    &tokenWeights,
                               &selfPrompts,   &selfTokens,    &selfTemperature, &selfSave,
                               &gptaq,         &gptaqStrength, &smoothAlpha};
  // The command line chose another algorithm than the recipe, whose details then do not matter.
  const bool overridden = algorithm.getNumOccurrences() && !recipe.gave(algorithm);
  for (const cl::Option *flag : flags)
    if (flag->getNumOccurrences() && !(overridden && recipe.gave(*flag)))
      return "--" + flag->ArgStr.str();
  return "";
}

} // namespace qopt
