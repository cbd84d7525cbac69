//===- TinyModel.h - A random model of two layers, as a graph and as an engine ---------------===//
#ifndef QOPT_TEST_UNIT_COMPILER_CALIBRATION_TINYMODEL_H
#define QOPT_TEST_UNIT_COMPILER_CALIBRATION_TINYMODEL_H

#include "qopt/Calibration/Sweep.h"
#include "qopt/Pipelines/Compiler.h"
#include "qopt/Pipelines/Synthetic.h"
#include "qrt/Engine.h"

#include "mlir/IR/MLIRContext.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <random>
#include <unistd.h>

namespace qopt::test {

inline constexpr SyntheticShape tinyShape = {"tiny", 2,   64,   4,    2,    16, 160,
                                             96,     1e4, 1e-5, true, true, 128};

inline std::unique_ptr<mlir::MLIRContext> makeContext() {
  mlir::DialectRegistry registry;
  registerDialects(registry);
  auto context =
      std::make_unique<mlir::MLIRContext>(registry, mlir::MLIRContext::Threading::DISABLED);
  context->loadAllAvailableDialects();
  return context;
}

inline mlir::OwningOpRef<mlir::ModuleOp> makeModule(mlir::MLIRContext &context) {
  auto module = buildSynthetic(context, tinyShape);
  EXPECT_TRUE(module.isOk()) << module.status().message();
  return std::move(*module);
}

inline mlir::func::FuncOp mainOf(mlir::ModuleOp module) {
  return module.lookupSymbol<mlir::func::FuncOp>("main");
}

/// Every linear but the head gets the scheme.
inline mlir::OwningOpRef<mlir::ModuleOp> makeAssigned(mlir::MLIRContext &context,
                                                      const char *scheme) {
  auto module = makeModule(context);
  std::string error;
  auto attr = qir::SchemeAttr::fromText(&context, scheme, error);
  EXPECT_TRUE(attr) << error;
  module->walk([&](qir::LinearOp op) {
    if (op.getRole() != "head")
      op.setSchemeAttr(attr);
  });
  return module;
}

/// Logits of all tokens on the sweep's own forward.
inline std::vector<float> logitsOf(mlir::ModuleOp module, const calibration::TokenTable &tokens) {
  struct Logits : calibration::SweepVisitor {
    std::vector<float> values;
    bool wants(qir::LinearOp) override { return false; }
    bool wantsResult() override { return true; }
    qrt::Status result(const calibration::Rows &rows) override {
      values.insert(values.end(), rows.data, rows.data + rows.tokens * rows.width);
      return qrt::Status::ok();
    }
  } logits;
  qrt::Status status = calibration::runSweep(mainOf(module), tokens, {}, logits);
  EXPECT_TRUE(status.isOk()) << status.message();
  return logits.values;
}

/// Sequences of unequal lengths; enough tokens for several chunks.
inline calibration::TokenTable makeTokens(std::vector<int> lengths = {700, 3, 400, 65, 1, 900,
                                                                      64}) {
  std::mt19937 random(5);
  calibration::TokenTable table;
  for (int length : lengths) {
    std::vector<int32_t> ids(length);
    for (int32_t &id : ids)
      id = static_cast<int32_t>(random() % tinyShape.vocabulary);
    table.append(ids);
  }
  return table;
}

/// The module as an f32 file on the engine.
inline std::unique_ptr<qrt::Engine> makeEngine(mlir::ModuleOp module) {
  std::string base = testing::TempDir() + "calibration-" + std::to_string(getpid());
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream);
  if (FILE *file = std::fopen((base + ".mlir").c_str(), "w")) {
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
  }
  auto context = makeContext();
  CompileOptions options;
  options.input = base + ".mlir";
  options.output = base + ".qmod";
  options.scheme.scheme = "f32";
  auto report = Compiler(*context, options).run();
  EXPECT_TRUE(report.isOk()) << report.status().message();
  auto model = qrt::Model::load(options.output);
  EXPECT_TRUE(model.isOk()) << model.status().message();
  std::remove(options.input.c_str());
  std::remove(options.output.c_str());
  if (!model)
    return nullptr;
  qrt::EngineOptions engineOptions;
  engineOptions.maxContext = 1024;
  auto engine = qrt::Engine::create(*model, engineOptions);
  EXPECT_TRUE(engine.isOk()) << engine.status().message();
  return engine ? std::move(*engine) : nullptr;
}

} // namespace qopt::test

#endif // QOPT_TEST_UNIT_COMPILER_CALIBRATION_TINYMODEL_H
