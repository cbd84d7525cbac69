//===- Gate.h - Does the quantized model still say the same? ----------------------------------===//
// Logits of a few tokens before and after quantization, on the sweep's own f32 forward, so that a
// compilation can end with an answer instead of a hope. `qrun eval` measures files, on more tokens.
// Thread safety: free functions on values.
#ifndef QOPT_CALIBRATION_GATE_H
#define QOPT_CALIBRATION_GATE_H

#include "qopt/Calibration/Sweep.h"

#include "Support/QualityGate.h"

namespace qopt::calibration {

/// Runs the graph on the tokens in f32, one segment's weights in memory at a time, and hands out
/// the logits in the order of the table. Errors: those of runSweep() and of `visit`.
qrt::Status visitLogits(mlir::func::FuncOp function, const TokenTable &tokens,
                        const SweepOptions &options,
                        llvm::function_ref<qrt::Status(const Rows &)> visit);

struct LogitSample {
  TokenTable tokens;
  int64_t width = 0;
  std::vector<float> logits; ///< [tokens, width]
};

/// The first sequences of the table, up to 1024 tokens and 256 MiB of logits (at least one token
/// that counts). Errors: those of runSweep().
qrt::Result<LogitSample> sampleLogits(mlir::func::FuncOp function, const TokenTable &tokens,
                                      const SweepOptions &options);

struct GateMeasure {
  int64_t tokens = 0; ///< with a weight above 0
  double klMean = 0;  ///< KL(before || after) in nats, weighted as the tokens are
  double top1 = 0;    ///< share of tokens with the same most likely next token
};

/// InvalidArgument for samples of different tokens or widths.
qrt::Result<GateMeasure> compareLogits(const LogitSample &before, const LogitSample &after);

/// The figures that --gate of qopt can bound.
inline constexpr qrt::GateMetric gateMetrics[] = {{"kl", true}, {"top1", false}};
/// GateFailed, with the figures, where a bound is not kept.
qrt::Status checkGate(const qrt::QualityGate &gate, const GateMeasure &measure);

} // namespace qopt::calibration

#endif // QOPT_CALIBRATION_GATE_H
