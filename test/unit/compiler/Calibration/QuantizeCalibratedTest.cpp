//===- QuantizeCalibratedTest.cpp - A model quantized in a sweep -----------------------------===//
#include "TinyModel.h"

#include "qopt/Calibration/QuantizeCalibrated.h"
#include "qopt/Dialect/QIR/Transforms/CodedWeights.h"
#include "qrt/Half.h"

#include "llvm/Support/FileSystem.h"

#include <cmath>

using namespace qopt;
using namespace qopt::calibration;
using namespace qopt::test;
using qrt::Status;

namespace {

std::string textOf(mlir::ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream os(text);
  module.print(os); // resources included
  return text;
}

struct Outcome {
  std::string text;
  std::vector<LinearReport> linears;
  Status status;
};

Outcome quantize(const char *scheme, CalibratedOptions options = {},
                 TokenTable tokens = makeTokens({64, 30, 100})) {
  auto context = makeContext();
  auto module = makeAssigned(*context, scheme);
  auto result = quantizeCalibrated(mainOf(*module), tokens, options);
  if (!result)
    return {"", {}, result.status()};
  return {textOf(*module), *result, Status::ok()};
}

/// A fresh directory that is removed again.
struct Directory {
  llvm::SmallString<128> path;
  Directory() { llvm::sys::fs::createUniqueDirectory("qopt-calibration", path); }
  ~Directory() { llvm::sys::fs::remove_directories(path); }
};

} // namespace

TEST(QuantizeCalibrated, BeatsRoundToNearestEverywhere) {
  for (const char *scheme : {"w4a16-g32-sym", "w3a16-g64-asym", "w2a16-g32-asym"}) {
    Outcome outcome = quantize(scheme);
    ASSERT_TRUE(outcome.status.isOk()) << outcome.status.message();
    ASSERT_EQ(outcome.linears.size(), 14u);
    double loss = 0, rtn = 0;
    for (const LinearReport &linear : outcome.linears) {
      EXPECT_LE(linear.loss, linear.lossRtn) << linear.name;
      EXPECT_GT(linear.energy, 0) << linear.name;
      EXPECT_EQ(linear.tokens, 194) << linear.name;
      EXPECT_EQ(linear.scheme, scheme);
      loss += linear.loss;
      rtn += linear.lossRtn;
    }
    EXPECT_LT(loss, 0.8 * rtn) << scheme;
    EXPECT_EQ(outcome.text.find("qir.linear %"), outcome.text.rfind("qir.linear %")); // the head
  }
}

TEST(QuantizeCalibrated, ReportedLossIsThatOfTheGraph) {
  // The Hessian of what the quantized graph feeds into the last down_proj, by hand.
  auto context = makeContext();
  auto original = makeAssigned(*context, "w3a16-g32-asym");
  auto module = makeAssigned(*context, "w3a16-g32-asym");
  TokenTable tokens = makeTokens({64, 30, 100});
  auto result = quantizeCalibrated(mainOf(*module), tokens, {});
  ASSERT_TRUE(result.isOk()) << result.status().message();

  /// Puts the float linear back for one weight, to see its input behind quantized layers.
  qir::LinearOp last;
  original->walk([&](qir::LinearOp op) {
    if (weightName(op.getW()) == "model.layers.1.mlp.down_proj.weight")
      last = op;
  });
  qir::QuantizedLinearOp quantized;
  module->walk([&](qir::QuantizedLinearOp op) {
    if (weightName(op.getCodes()) == "model.layers.1.mlp.down_proj.weight")
      quantized = op;
  });
  ASSERT_TRUE(last && quantized);
  mlir::OpBuilder builder(quantized);
  auto weight = qir::ConstantOp::create(builder, last.getW().getLoc(), last.getW().getType(),
                                        last.getW().getDefiningOp<qir::ConstantOp>().getValue());
  auto probe = qir::LinearOp::create(builder, quantized.getLoc(), quantized.getType(),
                                     quantized.getX(), weight, nullptr, nullptr, nullptr);
  quantized.replaceAllUsesWith(probe.getY());

  struct Moments : SweepVisitor {
    mlir::Operation *linear;
    std::vector<double> h;
    int64_t tokens = 0, k = 0;
    bool wants(qir::LinearOp op) override { return op == linear; }
    qrt::Result<bool> begin(const LinearGroup &group, qrt::kernels::ThreadPool &) override {
      k = group.features;
      h.assign(k * k, 0);
      return true;
    }
    Status observe(const LinearGroup &, const Rows &rows, qrt::kernels::ThreadPool &) override {
      for (int64_t t = 0; t < rows.tokens; ++t, ++tokens)
        for (int64_t i = 0; i < k; ++i)
          for (int64_t j = 0; j < k; ++j)
            h[i * k + j] += double(rows.data[t * k + i]) * rows.data[t * k + j];
      return Status::ok();
    }
  } moments;
  moments.linear = probe;
  ASSERT_TRUE(runSweep(mainOf(*module), tokens, {}, moments).isOk());

  auto bytes = [](mlir::Value value, llvm::SmallVector<char> &scratch) {
    return WeightStore::bytes(value.getDefiningOp<qir::ConstantOp>(), scratch)->data();
  };
  llvm::SmallVector<char> s0, s1, s2, s3;
  const auto *w = reinterpret_cast<const uint16_t *>(bytes(last.getW(), s0));
  const auto *codes = reinterpret_cast<const uint8_t *>(bytes(quantized.getCodes(), s1));
  const auto *scales = reinterpret_cast<const uint16_t *>(bytes(quantized.getScales(), s2));
  const auto *zeros = reinterpret_cast<const uint8_t *>(bytes(quantized.getZeroPoints(), s3));
  const int64_t k = moments.k, groups = k / 32;
  double loss = 0;
  for (int64_t row = 0; row < tinyShape.hidden; ++row) {
    std::vector<double> e(k);
    for (int64_t i = 0; i < k; ++i) {
      const int64_t g = row * groups + i / 32;
      const double scale = qrt::f16ToF32(scales[g]);
      e[i] = qrt::bf16ToF32(w[row * k + i]) - (int(codes[row * k + i]) - zeros[g]) * scale;
    }
    for (int64_t i = 0; i < k; ++i)
      for (int64_t j = 0; j < k; ++j)
        loss += e[i] * moments.h[i * k + j] * e[j] / double(moments.tokens);
  }
  EXPECT_NEAR(result->back().loss / loss, 1.0, 1e-4);
}

TEST(QuantizeCalibrated, ThreadsAndMemoryChangeNothing) {
  CalibratedOptions one, three, small;
  one.sweep.threads = 1;
  three.sweep.threads = 3;
  small.sweep.maxActivationBytes = 0;
  Outcome reference = quantize("w3a16-g32-asym", one);
  ASSERT_TRUE(reference.status.isOk()) << reference.status.message();
  EXPECT_EQ(reference.text, quantize("w3a16-g32-asym", three).text);
  EXPECT_EQ(reference.text, quantize("w3a16-g32-asym", small).text);
}

TEST(QuantizeCalibrated, ResumesWhereItWasInterrupted) {
  Outcome whole = quantize("w2a16-g32-asym");
  Directory directory;
  CalibratedOptions options;
  options.workDirectory = directory.path.str();
  for (int stopAfter : {1, 4, 9}) { // linears; the directory grows from try to try
    std::atomic<bool> stop = false;
    CalibratedOptions interrupted = options;
    interrupted.resume = stopAfter > 1;
    interrupted.sweep.interrupted = &stop;
    interrupted.onLinear = [&](const LinearReport &, int64_t done, int64_t, double) {
      stop = stop || done >= stopAfter;
    };
    EXPECT_EQ(quantize("w2a16-g32-asym", interrupted).status.code(), qrt::StatusCode::Interrupted);
  }
  // A file that was cut off counts as missing.
  const std::string cut = (directory.path + "/group-0001.qcal").str();
  ASSERT_EQ(truncate(cut.c_str(), 100), 0);
  options.resume = true;
  Outcome resumed = quantize("w2a16-g32-asym", options);
  ASSERT_TRUE(resumed.status.isOk()) << resumed.status.message();
  EXPECT_EQ(resumed.text, whole.text);
  EXPECT_TRUE(resumed.linears[0].resumed);
  EXPECT_FALSE(resumed.linears[3].resumed);
  EXPECT_FALSE(resumed.linears[13].resumed);
}

TEST(QuantizeCalibrated, RefusesTheWorkOfAnotherRun) {
  Directory directory;
  CalibratedOptions options;
  options.workDirectory = directory.path.str();
  ASSERT_TRUE(quantize("w4a16-g32-sym", options).status.isOk());
  options.resume = true;
  Outcome other = quantize("w3a16-g32-sym", options);
  EXPECT_EQ(other.status.code(), qrt::StatusCode::ResumeMismatch);
  EXPECT_NE(other.status.message().find("graph and schemes"), std::string::npos);
  options.gptq.damping = 0.02;
  EXPECT_NE(quantize("w4a16-g32-sym", options).status.message().find("options"), std::string::npos);
  options.gptq.damping = 0.01;
  EXPECT_TRUE(quantize("w4a16-g32-sym", options).status.isOk());
}

TEST(QuantizeCalibrated, SaysWhatDoesNotFitIntoMemory) {
  CalibratedOptions options;
  options.maxMemory = 1 << 16;
  Outcome outcome = quantize("w4a16-g32-sym", options);
  EXPECT_EQ(outcome.status.code(), qrt::StatusCode::ResourceExhausted);
}

TEST(QuantizeCalibrated, TokenWeightsCount) {
  TokenTable some = makeTokens({64, 30, 100});
  some.weights.assign(some.ids.size(), 0.0f);
  for (size_t i = 64; i < 94; ++i)
    some.weights[i] = 1.0f;
  Outcome weighted = quantize("w3a16-g32-asym", {}, some), plain = quantize("w3a16-g32-asym");
  ASSERT_TRUE(weighted.status.isOk()) << weighted.status.message();
  EXPECT_NE(weighted.text, plain.text);
  some.weights.assign(some.ids.size(), 0.0f);
  EXPECT_EQ(quantize("w3a16-g32-asym", {}, some).status.code(), qrt::StatusCode::BadCalibration);
}

TEST(QuantizeCalibrated, CorrectedTargetsMakeUpForTheLayersBefore) {
  TokenTable tokens = makeTokens({200, 130, 300});
  auto squaredError = [&](double strength, int threads, int64_t memory, std::string *text) {
    auto context = makeContext();
    auto module = makeAssigned(*context, "w2a16-g32-asym");
    std::vector<float> before = logitsOf(*module, tokens);
    CalibratedOptions options;
    options.targetCorrection = strength;
    options.sweep.threads = threads;
    options.sweep.maxActivationBytes = memory;
    auto result = quantizeCalibrated(mainOf(*module), tokens, options);
    EXPECT_TRUE(result.isOk()) << result.status().message();
    // The copy is gone, and with it the float weights.
    EXPECT_EQ(std::distance(module->getOps<mlir::func::FuncOp>().begin(),
                            module->getOps<mlir::func::FuncOp>().end()),
              1);
    module->walk([&](qir::ConstantOp constant) { EXPECT_FALSE(constant->use_empty()); });
    std::vector<float> after = logitsOf(*module, tokens);
    if (text)
      *text = textOf(*module);
    double error = 0;
    for (size_t i = 0; i < before.size(); ++i)
      error += (double(after[i]) - before[i]) * (double(after[i]) - before[i]);
    return error;
  };
  std::string text, threads, spilled;
  const double plain = squaredError(0, 1, INT64_MAX, nullptr);
  const double corrected = squaredError(1, 1, INT64_MAX, &text);
  EXPECT_LT(corrected, 0.98 * plain);
  squaredError(1, 3, INT64_MAX, &threads);
  squaredError(1, 2, 10000, &spilled);
  EXPECT_EQ(text, threads);
  EXPECT_EQ(text, spilled);
}
