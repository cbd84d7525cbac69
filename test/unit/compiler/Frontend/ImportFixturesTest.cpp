//===- ImportFixturesTest.cpp - Every exporter's models import --------------------------------===//
// The models that are committed must import; those under QOPT_SHARED are skipped where missing.
// Checked per model: the function's inputs and outputs carry the names and element types of the
// file, and no result is left without a rank.
#include "qopt/Frontend/ImportONNX.h"

#include "qopt/Dialect/QIR/IR/QIROps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringSet.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>

using namespace mlir;
namespace fs = std::filesystem;

static std::vector<std::string> modelsUnder(const fs::path &root) {
  std::vector<std::string> found;
  std::error_code error;
  for (const auto &entry : fs::recursive_directory_iterator(root, error))
    if (entry.path().extension() == ".onnx")
      found.push_back(entry.path().string());
  std::sort(found.begin(), found.end());
  return found;
}

static void expectImports(const std::string &path) {
  SCOPED_TRACE(path);
  MLIRContext context(MLIRContext::Threading::DISABLED);
  auto module = qopt::importONNX(context, path);
  ASSERT_TRUE(module.isOk()) << module.status().message();
  auto main = (*module)->lookupSymbol<func::FuncOp>("main");
  ASSERT_TRUE(main);
  llvm::StringSet<> inputs, outputs;
  for (unsigned i = 0; i < main.getNumArguments(); ++i)
    inputs.insert(main.getArgAttrOfType<StringAttr>(i, "qir.name").getValue());
  for (unsigned i = 0; i < main.getNumResults(); ++i)
    outputs.insert(main.getResultAttrOfType<StringAttr>(i, "qir.name").getValue());
  EXPECT_TRUE(inputs.contains("input_ids"));
  EXPECT_TRUE(outputs.contains("logits"));
  EXPECT_EQ(outputs.size(), main.getNumResults());
  int64_t unranked = 0;
  main.walk([&](Operation *op) {
    for (Value result : op->getResults())
      unranked += isa<UnrankedTensorType>(result.getType());
  });
  EXPECT_EQ(unranked, 0);
}

TEST(ImportFixtures, committedModels) {
  std::vector<std::string> models = modelsUnder(fs::path(QOPT_FIXTURES_DIR) / "onnx" / "models");
  EXPECT_GE(models.size(), 13u);
  for (const std::string &path : models)
    expectImports(path);
}

TEST(ImportFixtures, sharedModels) {
  const char *shared = std::getenv("QOPT_SHARED");
  fs::path root = fs::path(shared ? shared : QOPT_SHARED_DIR) / "models";
  std::vector<std::string> models = modelsUnder(root);
  if (models.empty())
    GTEST_SKIP() << "no models under " << root;
  for (const std::string &path : models)
    expectImports(path);
}

TEST(ImportFixtures, tiedQuantizedWeightsAreSharedOnce) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  fs::path root(std::getenv("QOPT_SHARED") ? std::getenv("QOPT_SHARED") : QOPT_SHARED_DIR);
  fs::path path = root / "models/reasoner/genai_int4_cpu/model.onnx";
  if (!fs::exists(path))
    GTEST_SKIP() << "no " << path;
  auto module = qopt::importONNX(context, path.string());
  ASSERT_TRUE(module.isOk()) << module.status().message();
  Value table;
  (*module)->walk([&](qopt::qir::QuantizedEmbeddingOp op) { table = op.getCodes(); });
  ASSERT_TRUE(table);
  int64_t heads = 0;
  for (Operation *user : table.getUsers())
    heads += isa<qopt::qir::QuantizedLinearOp>(user);
  EXPECT_EQ(heads, 1);
}
