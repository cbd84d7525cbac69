//===- Passes.td - Passes that run calibration tokens ------------------------------------------===//
#ifndef QOPT_CALIBRATION_PASSES_TD
#define QOPT_CALIBRATION_PASSES_TD

include "mlir/Pass/PassBase.td"

def QuantizeCalibrated : Pass<"qir-quantize-calibrated", "::mlir::ModuleOp"> {
  let summary = "Quantize linears under the second moments of their inputs";
  let description = [{
    Contract: *requires* token-major functions and qir-assign-scheme; *preserves* shapes, names and
    locations; *result*: every linear with an integer scheme has become quantized, except an output
    head of 8 bits or one tied to the embedding (qir-quantize-weights{except-calibrated} is for
    those, before this pass, so that the sweep sees them quantized, too).

    One sweep over the calibration tokens (docs/calibration.md): a linear is quantized when all
    tokens have reached it, and its output is computed with the quantized weight. Never worse than
    rounding to nearest in tr(E H E^T). Emits remarks of category `calibrate` with the loss of each
    linear and that of rounding to nearest, both as parts of tr(W H W^T).
    ```mlir
    %y = qir.linear %x, %w {scheme = #qir.scheme<w4a16, group = 32, sym>} : ...
    // becomes
    %y = qir.quantized_linear %x, %codes scales %scales {bits = 4 : i64, group_size = 32 : i64} : ...
    ```
  }];
  let options = [
    Option<"algorithm", "algo", "std::string", "\"gptq\"", "gptq">,
    Option<"calib", "calib", "std::string", "\"\"", "token ids: .npy, .json or .jsonl">,
    Option<"calibMask", "calib-mask", "std::string", "\"\"", ".npy, a weight per token of calib">,
    Option<"samples", "nsamples", "int64_t", "128", "most samples">,
    Option<"length", "seqlen", "int64_t", "2048", "most tokens of a sample">,
    Option<"seed", "seed", "uint64_t", "0", "0: in the order of the file, else shuffled">,
    Option<"damping", "damp", "double", "0.01", "added to the diagonal, as a part of its mean">,
    Option<"rounds", "rounds", "int64_t", "2", "of scale refit and coordinate descent">,
    Option<"workDirectory", "work-dir", "std::string", "\"\"", "for checkpoints and spilled data">,
    Option<"resume", "resume", "bool", "false", "take finished groups from work-dir">,
    Option<"maxMemory", "max-memory", "int64_t", "0", "bytes of the process; 0: what is free">,
    Option<"threads", "threads", "int64_t", "0", "0: one per processor">
  ];
  let dependentDialects = ["::qopt::qir::QIRDialect"];
}

#endif // QOPT_CALIBRATION_PASSES_TD
