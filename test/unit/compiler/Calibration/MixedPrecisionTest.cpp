//===- MixedPrecisionTest.cpp - Scores, budgets and what is kept in f16 ----------------------===//
#include "TinyModel.h"

#include "qopt/Calibration/MixedPrecision.h"
#include "qopt/Dialect/QIR/Transforms/CodedWeights.h"

#include "llvm/Support/FileSystem.h"

using namespace qopt;
using namespace qopt::calibration;
using namespace qopt::test;

namespace {

struct Model {
  std::unique_ptr<mlir::MLIRContext> context = makeContext();
  mlir::OwningOpRef<mlir::ModuleOp> module;
  explicit Model(const char *scheme) : module(makeAssigned(*context, scheme)) {}
  qrt::Result<MixedReport> assign(const MixedOptions &options) {
    return assignMixed(mainOf(*module), makeTokens({64, 30, 100}), options);
  }
};

} // namespace

TEST(MixedPrecision, ScoresFallWithBitsAndRepeat) {
  Model model("w4a16-g32-sym"), other("w4a16-g32-sym");
  SensitivityOptions options, threads;
  threads.sweep.threads = 3;
  TokenTable tokens = makeTokens({64, 30, 100});
  auto scores = measureSensitivity(mainOf(*model.module), tokens, options);
  ASSERT_TRUE(scores.isOk()) << scores.status().message();
  ASSERT_EQ(scores->size(), 8u); // qkv, o, gate and up, down; twice
  for (const UnitScore &unit : *scores) {
    EXPECT_TRUE(unit.probed);
    ASSERT_EQ(unit.candidates.size(), 5u);
    for (size_t c = 1; c < unit.candidates.size(); ++c) {
      if (c <= 2) { // rows of this model are so short that 8 bits, padded, take more than f16
        EXPECT_GT(unit.candidates[c].bits, unit.candidates[c - 1].bits);
      }
      EXPECT_LT(unit.candidates[c].kl, unit.candidates[c - 1].kl);
    }
    EXPECT_EQ(unit.candidates.back().kl, 0);
  }
  auto again = measureSensitivity(mainOf(*other.module), tokens, threads);
  ASSERT_TRUE(again.isOk());
  EXPECT_EQ(scoresToJson(*scores), scoresToJson(*again));
  auto read = scoresFromJson(scoresToJson(*scores), "scores");
  ASSERT_TRUE(read.isOk()) << read.status().message();
  EXPECT_EQ(scoresToJson(*read), scoresToJson(*scores));
  EXPECT_FALSE(scoresFromJson("{}", "scores").isOk());
  EXPECT_FALSE(scoresFromJson(R"({"qopt_scores": 1, "units": [{}]})", "scores").isOk());
}

TEST(MixedPrecision, KeepsTheBudgetAndBeatsUniform) {
  Model model("w3a16-g32-asym");
  MixedOptions options;
  options.targetBpw = 3.75 + 0.1; // 3 bits in groups of 32 are 3.75
  auto report = model.assign(options);
  ASSERT_TRUE(report.isOk()) << report.status().message();
  EXPECT_LE(report->bitsPerWeight, 3.85);
  EXPECT_GT(report->bitsPerWeight, 3.4);
  EXPECT_LT(report->kl, report->klUniform);
  EXPECT_GE(report->kl, report->lowerBound);
  for (size_t i = 1; i < report->pareto.size(); ++i)
    EXPECT_LE(report->pareto[i].kl, report->pareto[i - 1].kl);
  // Linears of one unit agree.
  std::map<std::string, std::string> schemes;
  model.module->walk(
      [&](qir::LinearOp op) { schemes[weightName(op.getW())] = qir::schemeOf(op).toText(); });
  EXPECT_EQ(schemes["model.layers.0.self_attn.q_proj.weight"],
            schemes["model.layers.0.self_attn.v_proj.weight"]);
  EXPECT_EQ(schemes["model.layers.1.mlp.gate_proj.weight"],
            schemes["model.layers.1.mlp.up_proj.weight"]);
}

TEST(MixedPrecision, SolvesAgainFromScores) {
  llvm::SmallString<128> path;
  ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("scores", "json", path));
  llvm::sys::fs::remove(path);
  MixedOptions options;
  options.scoresFile = path.str();
  options.targetBpw = 4.5;
  Model first("w4a16-g32-sym");
  ASSERT_TRUE(first.assign(options).isOk());
  ASSERT_TRUE(llvm::sys::fs::exists(path));
  options.targetBpw = 3.0;
  Model second("w4a16-g32-sym");
  auto again = assignMixed(mainOf(*second.module), {}, options); // without tokens
  ASSERT_TRUE(again.isOk()) << again.status().message();
  EXPECT_LE(again->bitsPerWeight, 3.0);
  Model grouped("w4a16-g64-sym");
  EXPECT_EQ(grouped.assign(options).status().code(), qrt::StatusCode::InvalidArgument);
  llvm::sys::fs::remove(path);
}

TEST(MixedPrecision, UnreachableTargetsSaySo) {
  Model model("w4a16-g32-sym");
  MixedOptions options;
  options.targetBpw = 2.0;
  auto report = model.assign(options);
  EXPECT_EQ(report.status().code(), qrt::StatusCode::TargetUnreachable);
  EXPECT_NE(report.status().message().find("2.75"), std::string::npos) << report.status().message();
  options.targetBpw = {};
  options.targetBytes = 1000;
  EXPECT_EQ(Model("w4a16-g32-sym").assign(options).status().code(),
            qrt::StatusCode::TargetUnreachable);
}

TEST(MixedPrecision, ChoosesTheSecondSetLikeWhatMattersMost) {
  Model model("w3a16-g32-asym"), kept("w3a16-g32-asym"), both("w3a16-g32-asym");
  MixedOptions options, keep, mixed;
  options.alternates.part = keep.critical.part = 0.3;
  auto report = model.assign(options);
  ASSERT_TRUE(report.isOk()) << report.status().message();
  ASSERT_TRUE(kept.assign(keep).isOk());
  std::vector<std::string> critical;
  kept.module->walk([&](qir::LinearOp op) {
    if (op->hasAttr("qir.critical"))
      critical.push_back(weightName(op.getW()));
  });
  llvm::sort(critical);
  std::vector<std::string> chosen = report->alternates;
  llvm::sort(chosen);
  EXPECT_FALSE(chosen.empty());
  EXPECT_EQ(chosen, critical);
  size_t marked = 0;
  model.module->walk([&](qir::LinearOp op) { // schemes stay
    marked += op->hasAttr(qir::alternateAttr);
    if (op.getRole() != "head") {
      EXPECT_EQ(qir::schemeOf(op).toText(), "w3a16-g32-asym");
    }
  });
  EXPECT_EQ(marked, chosen.size());
  // What stays f16 anyway needs no alternate.
  mixed.critical.part = 0.3;
  mixed.alternates.part = 0.3;
  auto second = both.assign(mixed);
  ASSERT_TRUE(second.isOk()) << second.status().message();
  both.module->walk([&](qir::LinearOp op) {
    EXPECT_FALSE(op->hasAttr("qir.critical") && op->hasAttr(qir::alternateAttr));
  });
  // A share that holds nothing is no choice.
  MixedOptions little;
  little.alternates.part = 1e-9;
  EXPECT_EQ(Model("w3a16-g32-asym").assign(little).status().code(),
            qrt::StatusCode::InvalidArgument);
}

TEST(MixedPrecision, KeepsWhatMattersMost) {
  Model model("w3a16-g32-asym");
  MixedOptions options;
  options.critical.part = 0.3;
  auto report = model.assign(options);
  ASSERT_TRUE(report.isOk()) << report.status().message();
  int64_t kept = 0, all = 0;
  model.module->walk([&](qir::LinearOp op) {
    if (op.getRole() == "head")
      return;
    const int64_t size = mlir::cast<mlir::RankedTensorType>(op.getW().getType()).getNumElements();
    all += size;
    if (op->hasAttr("qir.critical")) {
      kept += size;
      EXPECT_EQ(qir::schemeOf(op).toText(), "f16");
    } else {
      EXPECT_EQ(qir::schemeOf(op).toText(), "w3a16-g32-asym");
    }
  });
  EXPECT_GT(kept, 0);
  EXPECT_LE(kept, 0.3 * all);
  EXPECT_LT(report->kl, report->klUniform);
  MixedOptions count;
  count.critical.count = 3;
  Model three("w3a16-g32-asym");
  ASSERT_TRUE(three.assign(count).isOk());
  int linears = 0;
  three.module->walk([&](qir::LinearOp op) { linears += op->hasAttr("qir.critical"); });
  EXPECT_GT(linears, 0);
  EXPECT_LE(linears, 3);
}
