//===- qopt-translate.cpp - Other formats to and from .mlir ----------------------------------===//
//   qopt-translate --import-onnx model.onnx      the imported graph as text
//   qopt-translate --export-onnx imported.mlir   and back
//   qopt-translate --qexec-to-qmod lowered.mlir  a lowered function as a file, without the text
//                                                sections that qopt adds
#include "qopt/Dialect/QExec/IR/QExecOps.h"
#include "qopt/Pipelines/Pipelines.h"
#include "qopt/Target/QMod.h"

#include "qopt/Frontend/ExportONNX.h"
#include "qopt/Frontend/ImportONNX.h"

#include "mlir/Tools/mlir-translate/MlirTranslateMain.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;

static OwningOpRef<Operation *> importONNX(llvm::SourceMgr &sources, MLIRContext *context) {
  const llvm::MemoryBuffer *buffer = sources.getMemoryBuffer(sources.getMainFileID());
  // External data lies beside the file; standard input has no folder and gets none.
  llvm::StringRef name = buffer->getBufferIdentifier();
  std::string folder = llvm::sys::path::parent_path(name).str();
  if (folder.empty() && name != "<stdin>")
    folder = ".";
  auto module = qopt::importONNXFromBytes(*context, buffer->getBuffer(), folder);
  if (!module) {
    emitError(UnknownLoc::get(context)) << module.status().message();
    return {};
  }
  return OwningOpRef<Operation *>(module.takeValue().release());
}

static LogicalResult exportONNX(Operation *op, llvm::raw_ostream &output) {
  auto module = dyn_cast<ModuleOp>(op);
  if (!module)
    return op->emitError() << "expects a module";
  auto bytes = qopt::exportONNXToBytes(module);
  if (!bytes)
    return op->emitError() << bytes.status().message();
  output << *bytes;
  return success();
}

static LogicalResult writeQMod(Operation *op, llvm::raw_ostream &output) {
  auto module = dyn_cast<ModuleOp>(op);
  auto function = module ? module.lookupSymbol<func::FuncOp>("main") : func::FuncOp();
  if (!function)
    return op->emitError() << "expects a module with a function @main";
  llvm::SmallString<128> path;
  if (llvm::sys::fs::createTemporaryFile("qopt-translate", "qmod", path))
    return op->emitError() << "no temporary file can be made";
  llvm::FileRemover remover(path);
  auto written = qopt::writeQMod(function, std::string(path), {});
  if (!written)
    return op->emitError() << written.status().message();
  auto bytes =
      llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!bytes)
    return op->emitError() << bytes.getError().message();
  output << (*bytes)->getBuffer();
  return success();
}

int main(int argc, char **argv) {
  TranslateToMLIRRegistration fromONNX(
      "import-onnx", "ONNX to qir", importONNX,
      [](DialectRegistry &registry) { qopt::registerDialects(registry); });
  TranslateFromMLIRRegistration toONNX(
      "export-onnx", "Imported qir to ONNX",
      [](Operation *op, llvm::raw_ostream &output) { return exportONNX(op, output); },
      [](DialectRegistry &registry) { qopt::registerDialects(registry); });
  TranslateFromMLIRRegistration toQMod(
      "qexec-to-qmod", "A lowered, planned function to a .qmod file",
      [](Operation *op, llvm::raw_ostream &output) { return writeQMod(op, output); },
      [](DialectRegistry &registry) { qopt::registerDialects(registry); });
  return failed(mlirTranslateMain(argc, argv, "qopt translations\n"));
}
