//===- WeightNamesTest.cpp - Weights that an exporter left without a name ---------------------===//
#include "qopt/Frontend/ImportONNX.h"

#include "EmptyModel.h"

#include "mlir/IR/MLIRContext.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace qopt;

namespace {

/// Products of x [3] with square weights: {node name, weight, scopes or nothing} each.
struct Product {
  const char *node, *weight, *scopes;
};

/// The names that the importer gave the weights, in the order of the constants.
std::vector<std::string> namesAfterImport(std::initializer_list<Product> products) {
  onnx_ir::ModelProto model = test::emptyModel();
  auto *graph = model.mutable_graph();
  std::string last = "x";
  for (const Product &product : products) {
    bool known = false;
    for (const auto &tensor : graph->initializer())
      known |= tensor.name() == product.weight;
    if (!known) {
      auto *tensor = graph->add_initializer();
      tensor->set_name(product.weight);
      tensor->set_data_type(1);
      tensor->add_dims(3);
      tensor->add_dims(3);
      for (int i = 0; i < 9; ++i)
        tensor->add_float_data(float(i + graph->initializer_size()));
    }
    auto *node = graph->add_node();
    node->set_op_type("MatMul");
    node->set_name(product.node);
    node->add_input(last);
    node->add_input(product.weight);
    last = "y" + std::to_string(graph->node_size());
    node->add_output(last);
    if (product.scopes) {
      auto *entry = node->add_metadata_props();
      entry->set_key("pkg.torch.onnx.name_scopes");
      entry->set_value(product.scopes);
    }
  }
  for (auto *info : {graph->add_input(), graph->add_output()}) {
    info->set_name(info == &graph->input(0) ? "x" : last);
    auto *tensor = info->mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(1);
    for (int64_t size : {1, 3})
      tensor->mutable_shape()->add_dim()->set_dim_value(size);
  }
  MLIRContext context;
  auto module = importONNXFromBytes(context, model.SerializeAsString(), "");
  std::vector<std::string> names;
  if (!module)
    return {module.status().message()};
  (*module)->walk([&](Operation *op) {
    if (op->getName().getStringRef() == "qir.constant")
      names.push_back(cast<NameLoc>(op->getLoc()).getName().str());
  });
  return names;
}

using Names = std::vector<std::string>;

TEST(WeightNames, OfTheNodesModule) {
  EXPECT_EQ(namesAfterImport({{"/model/layers.0/mlp/up_proj/MatMul", "onnx::MatMul_7", nullptr}}),
            Names{"model.layers.0.mlp.up_proj.weight"});
}

TEST(WeightNames, OfDynamosScopes) {
  EXPECT_EQ(namesAfterImport({{"node_linear", "val_117", "['', 'm', 'm.q_proj', 'linear']"}}),
            Names{"m.q_proj.weight"});
}

TEST(WeightNames, StayWhereTheyAreNamesAlready) {
  EXPECT_EQ(namesAfterImport({{"/model/up/MatMul", "up.weight", nullptr}}), Names{"up.weight"});
  EXPECT_EQ(namesAfterImport({{"/model/up/MatMul", "val_x", nullptr}}), Names{"val_x"});
}

TEST(WeightNames, StayWithoutAModule) {
  EXPECT_EQ(namesAfterImport({{"MatMul_3", "onnx::MatMul_7", nullptr}}), Names{"onnx::MatMul_7"});
  EXPECT_EQ(namesAfterImport({{"/MatMul", "onnx::MatMul_7", nullptr}}), Names{"onnx::MatMul_7"});
  EXPECT_EQ(namesAfterImport({{"node", "val_1", "[]"}}), Names{"val_1"});
}

TEST(WeightNames, StayWhereTwoWouldBeAlike) {
  EXPECT_EQ(namesAfterImport({{"/a/up/MatMul", "onnx::MatMul_7", nullptr},
                              {"/a/up/MatMul_1", "onnx::MatMul_8", nullptr}}),
            (Names{"onnx::MatMul_7", "onnx::MatMul_8"}));
  EXPECT_EQ(namesAfterImport({{"/a/up/MatMul", "onnx::MatMul_7", nullptr},
                              {"/a/down/MatMul", "onnx::MatMul_7", nullptr}}),
            Names{"onnx::MatMul_7"}); // shared by two products
  EXPECT_EQ(namesAfterImport({{"/a/up/MatMul", "onnx::MatMul_7", nullptr},
                              {"/b/MatMul", "a.up.weight", nullptr}}),
            (Names{"onnx::MatMul_7", "a.up.weight"}));
}

} // namespace
