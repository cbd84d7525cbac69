//===- Passes.td - Passes that run calibration tokens ------------------------------------------===//
#ifndef QOPT_CALIBRATION_PASSES_TD
#define QOPT_CALIBRATION_PASSES_TD

include "mlir/Pass/PassBase.td"

/// Options of every pass that reads calibration data.
class CalibrationOptionList {
  list<Option> data = [
    Option<"calib", "calib", "std::string", "\"\"", "token ids: .npy, .json or .jsonl">,
    Option<"stats", "stats", "std::string", "\"\"",
           "file with moments of the float model: read, or written if missing">,
    Option<"calibMask", "calib-mask", "std::string", "\"\"", ".npy, a weight per token of calib">,
    Option<"samples", "nsamples", "int64_t", "128", "most samples">,
    Option<"length", "seqlen", "int64_t", "2048", "most tokens of a sample">,
    Option<"seed", "seed", "uint64_t", "0", "0: in the order of the file, else shuffled">,
    Option<"maxMemory", "max-memory", "int64_t", "0", "bytes of the process; 0: what is free">,
    Option<"threads", "threads", "int64_t", "0", "0: one per processor">
  ];
}
defvar calibrationOptions = CalibrationOptionList<>.data;

def AssignOutliers : Pass<"qir-assign-outliers", "::mlir::func::FuncOp"> {
  let summary = "Ask for a share of each quantized weight to stay in f16";
  let description = [{
    Contract: *requires* qir-assign-scheme; *preserves* everything else; *result*: `qir.outlier_share` on
    every `qir.linear` that calibration quantizes, which makes qir-quantize-calibrated choose so many of its
    weights by what rounding them costs in the output, and keep them as a sparse matrix beside the codes
    (`qir.outliers`; docs/calibration.md, "Outliers"). A linear with more than 65536 columns, or a function
    without a linear to quantize, is an error. Emits remarks of category `assign`.
    ```mlir
    %y = qir.linear %x, %w {scheme = #qir.scheme<w3a16, group = 128, asym>} : ...
    // becomes
    %y = qir.linear %x, %w {qir.outlier_share = 5.0e-03, scheme = #qir.scheme<w3a16, group = 128, asym>} : ...
    ```
  }];
  let options = [
    Option<"share", "share", "double", "0.005", "of the weights of each linear">
  ];
  let dependentDialects = ["::qopt::qir::QIRDialect"];
}

def CalibrateActivations : Pass<"qir-calibrate-activations", "::mlir::ModuleOp"> {
  let summary = "Fix the scales of 8-bit activations by calibration";
  let description = [{
    Contract: *requires* token-major functions and qir-assign-scheme, before weights are quantized, behind
    whatever folds scales into them; *preserves* everything else; *result*: `qir.activation_scales` on every
    `qir.linear` whose scheme has 8-bit activations, one per block of features that shares a scale (the
    group of the weight, 128 with one scale per row), which the quantized linear then has. Without it scales
    are dynamic. `observer`: what a scale reaches (docs/calibration.md, "Static activation scales"). Emits
    remarks of category `activations`.
    ```mlir
    %y = qir.linear %x, %w {scheme = #qir.scheme<w8a8, channel, sym>} : ...
    // becomes
    %y = qir.linear %x, %w {qir.activation_scales = array<f64: 0.02, 0.031>, scheme = ...} : ...
    ```
  }];
  let options = !listconcat([
    Option<"observer", "observer", "std::string", "\"mse\"", "absmax, percentile or mse">
  ], calibrationOptions);
  let dependentDialects = ["::qopt::qir::QIRDialect"];
}

def CollectStatistics : Pass<"qir-collect-statistics", "::mlir::ModuleOp"> {
  let summary = "Measure the moments of all inputs of linears in the float model";
  let description = [{
    Contract: *requires* token-major functions without quantized ops; *preserves* everything; *result*: the file
    `stats`, if it was not there, and for the passes behind this one in the same driver its contents in
    place of sweeps of their own (docs/calibration.md, "Statistics"). Fails if the file is of another model or
    of other tokens.
    ```mlir
    %y = qir.linear %x, %w : ...
    // stays; the file has mean |x|, max |x|, mean x^2 and mean x x^T of %x
    ```
  }];
  let options = calibrationOptions;
  let dependentDialects = ["::qopt::qir::QIRDialect"];
}

def AssignMixed : Pass<"qir-assign-mixed", "::mlir::ModuleOp"> {
  let summary = "Decide the bits of each linear under a budget";
  let description = [{
    Contract: *requires* token-major functions and qir-assign-scheme; *preserves* everything else;
    *result*: another `scheme` on linears that qir-quantize-calibrated quantizes, and `qir.critical`,
    with the reason, on those that stay f16. Linears that read one value get one precision.

    The choice is the one of least predicted KL divergence at the logits (docs/calibration.md) for
    `target-bpw` bits per weight, scales and zero points included. With `keep-critical` instead, linears
    keep their scheme, but for a share of the weights that is better kept in f16: whole units or, with
    `outliers`, shares of their weights (`qir.outlier_share`). With `alternates`,
    that share of what is still to be quantized also enters the second weight set (`qir.alternate`).
    Emits remarks of category `mixed`.
    ```mlir
    %y = qir.linear %x, %w {scheme = #qir.scheme<w3a16, group = 128, asym>} : ...
    // becomes, with target-bpw=3.5
    %y = qir.linear %x, %w {scheme = #qir.scheme<w4a16, group = 128, sym>} : ...
    ```
  }];
  let options = !listconcat([
    Option<"targetBpw", "target-bpw", "double", "0", "bits per weight; 0: not a target">,
    Option<"keepCritical", "keep-critical", "double", "0", "share of the weights for f16">,
    Option<"alternates", "alternates", "double", "0", "share of the weights for the second set">,
    ListOption<"outlierShares", "outliers", "double",
               "shares of outliers that units may keep in f16 instead">,
    Option<"scores", "scores", "std::string", "\"\"", "file of scores: read, or written if missing">
  ], calibrationOptions);
  let dependentDialects = ["::qopt::qir::QIRDialect"];
}

def FoldAwqScales : Pass<"qir-fold-awq-scales", "::mlir::ModuleOp"> {
  let summary = "Scale input channels by their activations, exactly undone before them";
  let description = [{
    Contract: *requires* token-major functions and qir-assign-scheme; *preserves* the function that is
    computed, shapes, names and schemes; *result*: linears whose weights round better to nearest.

    AWQ: input channel j of linears that share an input is scaled by s_j, and what makes the input is
    divided by it: the weight of the norm before, the rows of the up projection of a gated MLP, or those
    of the value projection (query heads of one value head share scales). Emits remarks of category
    `awq`, also where nothing can take the scales.
  }];
  let options = !listconcat([
    Option<"gridPoints", "grid", "int64_t", "20", "exponents that are tried">
  ], calibrationOptions);
  let dependentDialects = ["::qopt::qir::QIRDialect"];
}

def FoldSmoothScales : Pass<"qir-fold-smooth-scales", "::mlir::ModuleOp"> {
  let summary = "Move activation outliers into weights, exactly undone before them";
  let description = [{
    Contract: *requires* token-major functions and qir-assign-scheme; *preserves* the function that is
    computed, shapes, names and schemes; *result*: linears with 8-bit activations (w8a8, w4a8) whose inputs
    have no outlier channels.

    SmoothQuant: s_j = max|x_j|^alpha / max|W_ij|^(1 - alpha); the places that take the inverse are those of
    qir-fold-awq-scales. Emits remarks of category `smooth`, also where nothing can take the scales.
    ```mlir
    %n = qir.rms_norm %x, %g : ...
    %y = qir.linear %n, %w {scheme = #qir.scheme<w8a8, channel, sym>} : ...
    // becomes, with s folded into new constants
    %n = qir.rms_norm %x, %g_divided : ...
    %y = qir.linear %n, %w_multiplied {scheme = #qir.scheme<w8a8, channel, sym>} : ...
    ```
  }];
  let options = !listconcat([
    Option<"alpha", "alpha", "double", "0.5", "0: weights stay, 1: activations become even">
  ], calibrationOptions);
  let dependentDialects = ["::qopt::qir::QIRDialect"];
}

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
  let options = !listconcat([
    Option<"algorithm", "algo", "std::string", "\"gptq\"", "gptq, scale or rtn">,
    Option<"damping", "damp", "double", "0.01", "added to the diagonal, as a part of its mean">,
    Option<"rounds", "rounds", "int64_t", "-1",
           "of scale refit and coordinate descent; -1: 1 from 4 bits on, else 4">,
    Option<"arithmetic", "arithmetic", "std::string", "\"a8\"",
           "of quantized linears and Hessians: a8, a16 or f32">,
    Option<"targetCorrection", "gptaq", "double", "0", "strength of the target correction; 0: none">,
    Option<"workDirectory", "work-dir", "std::string", "\"\"", "for checkpoints and spilled data">,
    Option<"resume", "resume", "bool", "false", "take finished groups from work-dir">
  ], calibrationOptions);
  let dependentDialects = ["::qopt::qir::QIRDialect"];
}

#endif // QOPT_CALIBRATION_PASSES_TD
