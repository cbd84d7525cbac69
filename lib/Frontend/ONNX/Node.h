//===- Node.h - One ONNX node while it is imported --------------------------------------------===//
// What an operator's importer sees: operands as values, attributes with defaults, the emitter, and
// the results to set. A result that is left null is one that is not computed; using it is an error.
//
// Importers return failure only through invalid() (the graph is broken, import stops) and
// unsupported() (recorded; import goes on to list everything else).
#ifndef QOPT_LIB_FRONTEND_ONNX_NODE_H
#define QOPT_LIB_FRONTEND_ONNX_NODE_H

#include "Emitter.h"
#include "TensorData.h"

#include <string>

namespace qopt {

class GraphImporter;

enum class Outcome { Ok, Unsupported, Invalid };

class Node {
public:
  Node(GraphImporter &importer, const onnx_ir::NodeProto &proto, int64_t opset, Emitter emit)
      : emit(emit), proto(proto), opset(opset), results(proto.output_size()), importer(importer) {}

  Emitter emit;
  const onnx_ir::NodeProto &proto;
  const int64_t opset; ///< version of the operator's domain
  llvm::SmallVector<mlir::Value> operands;
  llvm::SmallVector<mlir::Value> results;

  /// Null where the input is absent or named "".
  mlir::Value in(size_t i) const { return i < operands.size() ? operands[i] : mlir::Value(); }
  bool wants(int i) const { return i < proto.output_size() && !proto.output(i).empty(); }
  void set(size_t i, mlir::Value value) {
    if (i < results.size())
      results[i] = value;
  }
  Outcome done(mlir::Value value) {
    set(0, value);
    return Outcome::Ok;
  }

  const onnx_ir::AttributeProto *attribute(llvm::StringRef name) const;
  int64_t integer(llvm::StringRef name, int64_t otherwise) const;
  double real(llvm::StringRef name, double otherwise) const;
  std::string text(llvm::StringRef name, llvm::StringRef otherwise) const;
  std::optional<Ints> integers(llvm::StringRef name) const;
  /// Axes and the like: the attribute, or the constant operand `input`; nullopt if neither is
  /// given. `bad` is set where the operand is not known at import.
  std::optional<Ints> integersOrInput(llvm::StringRef name, size_t input, bool &bad) const;

  Outcome unsupported(const std::string &what);
  Outcome invalid(const std::string &what);
  GraphImporter &owner() { return importer; }
  std::string label() const; ///< "node 'name' (domain::Op)"

private:
  GraphImporter &importer;
};

} // namespace qopt

#endif // QOPT_LIB_FRONTEND_ONNX_NODE_H
