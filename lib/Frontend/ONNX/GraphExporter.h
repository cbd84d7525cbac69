//===- GraphExporter.h - qir values and ops as ONNX nodes -------------------------------------===//
#ifndef QOPT_LIB_FRONTEND_ONNX_GRAPHEXPORTER_H
#define QOPT_LIB_FRONTEND_ONNX_GRAPHEXPORTER_H

#include "Emitter.h"
#include "TensorData.h"

#include "qopt/Frontend/ExportONNX.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"

#include <map>

namespace qopt {

class GraphExporter {
public:
  using Names = std::vector<std::string>;

  explicit GraphExporter(onnx_ir::ModelProto &model) : model(model), graph(model.mutable_graph()) {}

  qrt::Status run(mlir::func::FuncOp function);

private:
  void exportBlock(mlir::Block &block);
  void exportOp(mlir::Operation *op);
  bool exportPlain(mlir::Operation *op);  // one op, one node
  bool exportSimple(mlir::Operation *op); // a few nodes
  bool exportModelOp(mlir::Operation *op);
  void exportConstant(mlir::Operation *op);
  void exportIf(mlir::Operation *op);
  void exportRotary(mlir::Operation *op);
  void exportSdpa(mlir::Operation *op);
  /// Float weight [N, K] of codes, scales and zero points, as a DequantizeLinear.
  std::string dequantized(mlir::Operation *op, mlir::Value codes, mlir::Value scales,
                          mlir::Value zeros, mlir::Type element);

  onnx_ir::NodeProto *node(const std::string &type, const Names &inputs, const Names &outputs);
  std::string emit(const std::string &type, const Names &inputs); // one new output
  std::string name(mlir::Value value);                            // "" for null
  std::string fresh() { return "qopt." + std::to_string(counter++); }
  std::string int64s(llvm::ArrayRef<int64_t> values); // initializer [n]
  std::string castTo(const std::string &x, mlir::Type element);
  static void setInt(onnx_ir::NodeProto *node, const char *name, int64_t value);
  static void setFloat(onnx_ir::NodeProto *node, const char *name, double value);
  static void setText(onnx_ir::NodeProto *node, const char *name, llvm::StringRef value);
  void unsupported(mlir::Operation *op, const std::string &why);
  void describe(onnx_ir::ValueInfoProto *info, mlir::Type type, mlir::DictionaryAttr attributes);

  onnx_ir::ModelProto &model;
  onnx_ir::GraphProto *graph; // where nodes go: the main graph or a branch
  llvm::DenseMap<mlir::Value, std::string> names;
  std::map<std::string, std::pair<int64_t, std::string>> refused;
  std::string location; // name of the op at hand, for node names
  int64_t counter = 0;
  uint64_t weightBytes = 0;
  qrt::Status broken;
};

int onnxTypeOf(mlir::Type element);

} // namespace qopt

#endif // QOPT_LIB_FRONTEND_ONNX_GRAPHEXPORTER_H
