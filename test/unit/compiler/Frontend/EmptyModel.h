//===- EmptyModel.h - The ONNX model that tests build on --------------------------------------===//
#ifndef QOPT_TEST_FRONTEND_EMPTYMODEL_H
#define QOPT_TEST_FRONTEND_EMPTYMODEL_H

#include "onnx.pb.h"

namespace qopt::test {

/// Operator set 18 and a graph "g" without anything in it.
inline onnx_ir::ModelProto emptyModel() {
  onnx_ir::ModelProto model;
  model.set_ir_version(8);
  auto *opset = model.add_opset_import();
  opset->set_domain("");
  opset->set_version(18);
  model.mutable_graph()->set_name("g");
  return model;
}

} // namespace qopt::test

#endif // QOPT_TEST_FRONTEND_EMPTYMODEL_H
