//===- DiagnosticCollector.cpp - Diagnostics as text -----------------------------------------===//
#include "DiagnosticCollector.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace qopt {

std::string describeLocation(Location location) {
  if (auto name = location->findInstanceOf<NameLoc>())
    return llvm::formatv("'{0}': ", name.getName().getValue());
  if (auto file = location->findInstanceOf<FileLineColLoc>())
    return llvm::formatv("{0}:{1}:{2}: ", file.getFilename().getValue(), file.getLine(),
                         file.getColumn());
  return "";
}

DiagnosticCollector::DiagnosticCollector(MLIRContext &context)
    : handler(&context, [this](Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() != DiagnosticSeverity::Error)
          return failure(); // not handled here
        text += (text.empty() ? "" : "\n") + describeLocation(diagnostic.getLocation()) +
                diagnostic.str();
        for (Diagnostic &note : diagnostic.getNotes())
          text += "\n  " + describeLocation(note.getLocation()) + note.str();
        return success();
      }) {}

std::string DiagnosticCollector::take(StringRef otherwise) {
  std::string result = text.empty() ? otherwise.str() : text;
  text.clear();
  return result;
}

} // namespace qopt
