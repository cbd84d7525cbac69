//===- FoldScalesTest.cpp - Scales change weights, not the function --------------------------===//
#include "TinyModel.h"

#include "qopt/Calibration/FoldSmoothScales.h"
#include "qopt/Support/WeightStore.h"

#include <cmath>

using namespace qopt;
using namespace qopt::calibration;
using namespace qopt::test;
using qrt::Status;

namespace {

/// Grouped heads, biases on q, k and v, and a few loud channels, so that there is something to
/// gain.
mlir::OwningOpRef<mlir::ModuleOp> makeLoud(mlir::MLIRContext &context, const char *text) {
  auto module = makeModule(context);
  std::string error;
  auto scheme = qir::SchemeAttr::fromText(&context, text, error);
  module->walk([&](qir::RmsNormOp op) {
    std::vector<float> weight(tinyShape.hidden, 1.0f);
    weight[3] = 20, weight[17] = 9, weight[40] = 14;
    auto type = mlir::RankedTensorType::get({tinyShape.hidden}, mlir::Float32Type::get(&context));
    mlir::OpBuilder builder(op);
    auto bytes = llvm::ArrayRef(reinterpret_cast<const char *>(weight.data()), weight.size() * 4);
    op.setOperand(1, qir::ConstantOp::create(builder, op.getW().getLoc(), type,
                                             WeightStore::insertCopy(type, "norm", bytes)));
  });
  module->walk([&](qir::LinearOp op) {
    if (op.getRole() != "head")
      op.setSchemeAttr(scheme);
  });
  return module;
}

void expectSameFunction(const std::vector<float> &before, const std::vector<float> &after) {
  ASSERT_EQ(before.size(), after.size());
  double worst = 0, range = 0;
  for (size_t i = 0; i < before.size(); ++i) {
    worst = std::max(worst, double(std::abs(before[i] - after[i])));
    range = std::max(range, double(std::abs(before[i])));
  }
  EXPECT_LT(worst, 2e-5 * range);
  EXPECT_GT(worst, 0);
}

} // namespace

TEST(FoldAwqScales, KeepsTheFunctionAndLowersTheError) {
  auto context = makeContext();
  auto module = makeLoud(*context, "w3a16-g32-asym");
  TokenTable tokens = makeTokens({64, 30, 100});
  std::vector<float> before = logitsOf(*module, tokens);
  auto reports = foldAwqScales(mainOf(*module), tokens, {});
  ASSERT_TRUE(reports.isOk()) << reports.status().message();
  ASSERT_EQ(reports->size(), 8u);
  int folded = 0;
  bool value = false, up = false;
  for (const ScaleReport &report : *reports) {
    EXPECT_LE(report.loss, report.lossPlain) << report.name;
    folded += report.skipped.empty();
    value |= report.skipped.empty() && report.name.find("o_proj") != std::string::npos;
    up |= report.skipped.empty() && report.name.find("down_proj") != std::string::npos;
  }
  EXPECT_GE(folded, 4);
  EXPECT_TRUE(value); // through grouped heads
  EXPECT_TRUE(up);
  expectSameFunction(before, logitsOf(*module, tokens));
}

TEST(FoldSmoothScales, KeepsTheFunctionAndEvensTheActivations) {
  auto context = makeContext();
  auto module = makeLoud(*context, "w8a8-channel-sym");
  TokenTable tokens = makeTokens({64, 30, 100});
  std::vector<float> before = logitsOf(*module, tokens);
  auto reports = foldSmoothScales(mainOf(*module), tokens, {});
  ASSERT_TRUE(reports.isOk()) << reports.status().message();
  ASSERT_EQ(reports->size(), 8u);
  for (const ScaleReport &report : *reports) {
    EXPECT_EQ(report.skipped, "") << report.name;
    EXPECT_LE(report.loss, report.lossPlain) << report.name;
    if (report.name.find("q_proj") != std::string::npos) { // behind a loud norm
      EXPECT_LT(report.loss, 0.5 * report.lossPlain) << report.name;
    }
  }
  expectSameFunction(before, logitsOf(*module, tokens));
}

TEST(FoldSmoothScales, LeavesFloatActivationsAlone) {
  auto context = makeContext();
  auto module = makeLoud(*context, "w8a16-channel-sym");
  TokenTable tokens = makeTokens({30});
  std::vector<float> before = logitsOf(*module, tokens);
  auto reports = foldSmoothScales(mainOf(*module), tokens, {});
  ASSERT_TRUE(reports.isOk()) << reports.status().message();
  for (const ScaleReport &report : *reports)
    EXPECT_EQ(report.skipped, "its activations are not quantized");
  EXPECT_EQ(before, logitsOf(*module, tokens));
}
