//===- ExportTest.cpp - import(export(import(m))) is import(m) --------------------------------===//
// Every model is exported, imported again and exported again: same inputs, outputs and types. That
// the numbers agree is checked outside CI: with QOPT_EXPORT_DIR set the files are kept there, and
// test/fixtures/onnx/compare_exports.py runs them under ONNX Runtime against the reference logits.
#include "qopt/Frontend/ExportONNX.h"
#include "qopt/Frontend/ImportONNX.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

using namespace mlir;
namespace fs = std::filesystem;

static void roundTrip(const fs::path &path, const fs::path &root) {
  SCOPED_TRACE(path.string());
  MLIRContext context(MLIRContext::Threading::DISABLED);
  auto first = qopt::importONNX(context, path.string());
  ASSERT_TRUE(first.isOk()) << first.status().message();
  auto bytes = qopt::exportONNXToBytes(first->get());
  ASSERT_TRUE(bytes.isOk()) << bytes.status().message();
  if (const char *keep = std::getenv("QOPT_EXPORT_DIR")) {
    fs::path target = fs::path(keep) / fs::relative(path, root);
    fs::create_directories(target.parent_path());
    std::ofstream(target, std::ios::binary) << *bytes;
  }
  auto second = qopt::importONNXFromBytes(context, *bytes, "");
  ASSERT_TRUE(second.isOk()) << second.status().message();
  auto a = (*first)->lookupSymbol<func::FuncOp>("main"),
       b = (*second)->lookupSymbol<func::FuncOp>("main");
  EXPECT_EQ(a.getArgumentTypes(), b.getArgumentTypes());
  ASSERT_EQ(a.getNumResults(), b.getNumResults());
  for (unsigned i = 0; i < a.getNumResults(); ++i) {
    EXPECT_EQ(a.getResultAttr(i, "qir.name"), b.getResultAttr(i, "qir.name"));
    EXPECT_EQ(cast<TensorType>(a.getResultTypes()[i]).getElementType(),
              cast<TensorType>(b.getResultTypes()[i]).getElementType());
  }
  auto again = qopt::exportONNXToBytes(second->get());
  ASSERT_TRUE(again.isOk()) << again.status().message();
}

TEST(Export, roundTripOfEveryModel) {
  const char *shared = std::getenv("QOPT_SHARED");
  fs::path roots[] = {fs::path(QOPT_FIXTURES_DIR) / "onnx" / "models",
                      fs::path(QOPT_FIXTURES_DIR) / "onnx" / "ops",
                      fs::path(shared ? shared : QOPT_SHARED_DIR) / "models"};
  int64_t models = 0;
  for (const fs::path &root : roots) {
    std::error_code error;
    for (const auto &entry : fs::recursive_directory_iterator(root, error))
      if (entry.path().extension() == ".onnx") {
        roundTrip(entry.path(), root);
        ++models;
      }
  }
  EXPECT_GE(models, 13 + 37); // 13 models and 37 operators are committed
}
