//===- WeightNames.h - Names of weights that the exporter left without one --------------------===//
#ifndef QOPT_LIB_FRONTEND_ONNX_WEIGHTNAMES_H
#define QOPT_LIB_FRONTEND_ONNX_WEIGHTNAMES_H

#include "onnx.pb.h"

#include "llvm/ADT/StringMap.h"

namespace qopt {

/// Exporters transpose weights and then call them `onnx::MatMul_2048` (TorchScript) or `val_105`
/// (dynamo), so nobody could say which layer a report or --keep-fp16 means. Maps such an
/// initializer, where a product (MatMul, Gemm) is its only user, to the module of that product:
/// from the node's name `/model/layers.0/mlp/up_proj/MatMul`, or dynamo's metadata `name_scopes`,
/// `model.layers.0.mlp.up_proj.weight`. Left out: names that another initializer has, or that two
/// would get.
llvm::StringMap<std::string> moduleNamesOfWeights(const onnx_ir::GraphProto &graph);

} // namespace qopt

#endif // QOPT_LIB_FRONTEND_ONNX_WEIGHTNAMES_H
