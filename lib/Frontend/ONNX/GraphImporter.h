//===- GraphImporter.h - Graphs, scopes, functions and initializers ---------------------------===//
// Walks the nodes of a graph in order and keeps the map from ONNX names to values: one scope per
// subgraph and per expanded function. Initializers become constants at the start of the function
// when they are first used.
#ifndef QOPT_LIB_FRONTEND_ONNX_GRAPHIMPORTER_H
#define QOPT_LIB_FRONTEND_ONNX_GRAPHIMPORTER_H

#include "OpTable.h"

#include "qopt/Frontend/ImportONNX.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"

namespace qopt {

class GraphImporter {
public:
  GraphImporter(mlir::MLIRContext &context, std::shared_ptr<const onnx_ir::ModelProto> model,
                const std::string &directory, const ImportOptions &options);

  qrt::Result<mlir::OwningOpRef<mlir::ModuleOp>> run();

  // For importers.
  /// Builds a subgraph (If branch) into `block` and returns its outputs; failure is recorded.
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> importSubgraph(const onnx_ir::GraphProto &graph,
                                                                 mlir::Block *block);
  /// The constant of a tensor attribute, at the insertion point.
  Outcome tensorConstant(Node &node, const onnx_ir::TensorProto &tensor, mlir::Value &result);
  /// A constant at the start of the function, for weights computed at import.
  mlir::Value entryConstant(llvm::StringRef name, mlir::ElementsAttr value);
  /// Codes already unpacked for a constant, so that tied weights share one tensor.
  mlir::Value &unpackedCodes(mlir::Operation *packed, int64_t rows, int64_t columns, int64_t bits) {
    return codes[{packed, rows, columns, bits}];
  }
  void recordUnsupported(const std::string &what, const std::string &where);
  void recordInvalid(const std::string &message);

private:
  struct Scope {
    Scope *parent = nullptr;
    llvm::StringMap<mlir::Value> values; // null: produced, but not computed
    llvm::StringMap<const onnx_ir::TensorProto *> initializers;
    llvm::StringMap<std::string> weightNames; // of some initializers: moduleNamesOfWeights
    llvm::StringMap<mlir::TensorType> valueInfo;
    const llvm::StringMap<int64_t> *opsets = nullptr;
    int functionDepth = 0;
  };

  bool openGraph(const onnx_ir::GraphProto &graph, Scope &scope);
  bool importNodes(const google::protobuf::RepeatedPtrField<onnx_ir::NodeProto> &nodes,
                   Scope &scope);
  bool importNode(const onnx_ir::NodeProto &proto, Scope &scope);
  bool importCall(const onnx_ir::FunctionProto &function, const onnx_ir::NodeProto &call,
                  llvm::ArrayRef<mlir::Value> operands, Scope &scope);
  bool define(const onnx_ir::NodeProto &proto, llvm::ArrayRef<mlir::Value> results, Scope &scope);
  /// False (recorded) if the name is unknown; `value` may be null for results not computed.
  bool lookup(llvm::StringRef name, Scope &scope, mlir::Value &value, const std::string &user);
  const onnx_ir::FunctionProto *findFunction(const onnx_ir::NodeProto &proto) const;
  mlir::TensorType valueType(const onnx_ir::ValueInfoProto &info) const;
  bool buildFunction();
  qrt::Status firstError() const;

  mlir::MLIRContext &context;
  std::shared_ptr<const onnx_ir::ModelProto> model;
  ExternalData external;
  ImportOptions options;
  mlir::OpBuilder builder;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::func::FuncOp function;
  mlir::Operation *lastEntryConstant = nullptr;
  Scope *current = nullptr;
  llvm::StringMap<int64_t> modelOpsets;
  std::map<std::tuple<mlir::Operation *, int64_t, int64_t, int64_t>, mlir::Value> codes;
  llvm::StringMap<mlir::Value> initializerValues; // by address, see lookup()
  uint64_t nodeCount = 0;
  struct Missing {
    int64_t count = 0;
    std::string first;
  };
  llvm::MapVector<std::string, Missing, std::map<std::string, unsigned>> missing;
  qrt::Status broken;
};

} // namespace qopt

#endif // QOPT_LIB_FRONTEND_ONNX_GRAPHIMPORTER_H
