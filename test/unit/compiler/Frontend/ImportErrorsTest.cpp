//===- ImportErrorsTest.cpp - Broken and unsupported models -----------------------------------===//
// Every error has the code that is the exit code, and its message names the node or the tensor.
#include "qopt/Frontend/ImportONNX.h"

#include "EmptyModel.h"

#include "mlir/IR/MLIRContext.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>

using namespace mlir;
using namespace qopt;
using qrt::StatusCode;
namespace fs = std::filesystem;

namespace {

/// y = Relu(x) with a weight to play with.
onnx_ir::ModelProto smallModel() {
  onnx_ir::ModelProto model = test::emptyModel();
  auto *graph = model.mutable_graph();
  for (auto *info : {graph->add_input(), graph->add_output()}) {
    info->set_name(info == &graph->input(0) ? "x" : "y");
    auto *tensor = info->mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(1);
    tensor->mutable_shape()->add_dim()->set_dim_value(3);
  }
  return model;
}

onnx_ir::NodeProto *addNode(onnx_ir::ModelProto &model, const char *op,
                            std::initializer_list<const char *> inputs, const char *output) {
  auto *node = model.mutable_graph()->add_node();
  node->set_op_type(op);
  node->set_name(std::string("node_") + output);
  for (const char *input : inputs)
    node->add_input(input);
  node->add_output(output);
  return node;
}

onnx_ir::TensorProto *addExternal(onnx_ir::ModelProto &model, const char *location,
                                  const char *offset) {
  auto *tensor = model.mutable_graph()->add_initializer();
  tensor->set_name("w");
  tensor->set_data_type(1);
  tensor->add_dims(3);
  tensor->set_data_location(1);
  auto add = [&](const char *key, const char *value) {
    auto *entry = tensor->add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  };
  add("location", location);
  add("offset", offset);
  addNode(model, "Add", {"x", "w"}, "y");
  return tensor;
}

void expectError(const onnx_ir::ModelProto &model, StatusCode code,
                 std::initializer_list<const char *> parts, const std::string &directory = "") {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  auto module = importONNXFromBytes(context, model.SerializeAsString(), directory);
  ASSERT_FALSE(module.isOk());
  EXPECT_EQ(int(module.status().code()), int(code)) << module.status().message();
  for (const char *part : parts)
    EXPECT_NE(module.status().message().find(part), std::string::npos) << module.status().message();
}

/// A folder with a 16-byte data file, removed at the end.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("qopt-frontend-" + std::to_string(::getpid()));
  Folder() {
    fs::create_directories(path / "model");
    std::ofstream(path / "outside.bin") << "0123456789abcdef";
    std::ofstream(path / "model" / "inside.bin") << "0123456789abcdef";
  }
  ~Folder() { fs::remove_all(path); }
  std::string model() const { return (path / "model").string(); }
};

} // namespace

TEST(ImportErrors, listsAllThatIsUnsupportedAtOnce) {
  onnx_ir::ModelProto model = smallModel();
  addNode(model, "Conv", {"x"}, "a");
  addNode(model, "Conv", {"x"}, "b");
  addNode(model, "Selu", {"a"}, "y");
  expectError(model, StatusCode::Unsupported,
              {"2 x Conv (opset 18), first at node 'node_a'", "1 x Selu"});
}

TEST(ImportErrors, undefinedInput) {
  onnx_ir::ModelProto model = smallModel();
  addNode(model, "Add", {"x", "nowhere"}, "y");
  expectError(model, StatusCode::InvalidModel, {"node_y", "'nowhere' is not defined"});
}

TEST(ImportErrors, cycle) {
  onnx_ir::ModelProto model = smallModel();
  addNode(model, "Add", {"x", "y"}, "a");
  addNode(model, "Relu", {"a"}, "y");
  expectError(model, StatusCode::InvalidModel, {"node_a", "cycle"});
}

TEST(ImportErrors, duplicateOutput) {
  onnx_ir::ModelProto model = smallModel();
  addNode(model, "Relu", {"x"}, "y");
  addNode(model, "Neg", {"x"}, "y");
  expectError(model, StatusCode::InvalidModel, {"'y' is defined twice"});
}

TEST(ImportErrors, arity) {
  onnx_ir::ModelProto model = smallModel();
  addNode(model, "Add", {"x"}, "y");
  expectError(model, StatusCode::InvalidModel, {"node_y", "input 1 is missing"});
  model.mutable_graph()->mutable_node(0)->add_input("x");
  model.mutable_graph()->mutable_node(0)->add_input("x");
  expectError(model, StatusCode::InvalidModel, {"has 3 inputs, expected at most 2"});
}

TEST(ImportErrors, mixedElementTypes) {
  onnx_ir::ModelProto model = smallModel();
  auto *cast = addNode(model, "Cast", {"x"}, "i")->add_attribute();
  cast->set_name("to");
  cast->set_type(2);
  cast->set_i(7);
  addNode(model, "Add", {"x", "i"}, "y");
  expectError(model, StatusCode::InvalidModel, {"node_y", "different element types"});
}

TEST(ImportErrors, recursiveFunction) {
  onnx_ir::ModelProto model = smallModel();
  auto *function = model.add_functions();
  function->set_name("F");
  function->set_domain("d");
  function->add_input("a");
  function->add_output("b");
  auto *node = function->add_node();
  node->set_op_type("F");
  node->set_domain("d");
  node->add_input("a");
  node->add_output("b");
  addNode(model, "F", {"x"}, "y")->set_domain("d");
  expectError(model, StatusCode::InvalidModel, {"nested deeper than 32 calls"});
}

TEST(ImportErrors, tensorSizes) {
  onnx_ir::ModelProto model = smallModel();
  addNode(model, "Add", {"x", "w"}, "y");
  auto *tensor = model.mutable_graph()->add_initializer();
  tensor->set_name("w");
  tensor->set_data_type(1);
  tensor->add_dims(3);
  tensor->set_raw_data("0123");
  expectError(model, StatusCode::InvalidModel, {"tensor 'w'", "4 bytes of data, expected 12"});
  tensor->set_dims(0, -1);
  expectError(model, StatusCode::InvalidModel, {"tensor 'w'", "dimension -1"});
  tensor->set_dims(0, int64_t(1) << 40);
  tensor->add_dims(int64_t(1) << 40);
  expectError(model, StatusCode::InvalidModel, {"too many elements"});
  tensor->clear_dims();
  tensor->set_data_type(17);
  expectError(model, StatusCode::Unsupported, {"FLOAT8E4M3FN", "'w'"});
}

TEST(ImportErrors, externalDataStaysInTheFolder) {
  Folder folder;
  auto expect = [&](const char *location, const char *offset, StatusCode code, const char *text) {
    onnx_ir::ModelProto model = smallModel();
    addExternal(model, location, offset);
    expectError(model, code, {text}, folder.model());
  };
  expect("../outside.bin", "0", StatusCode::InvalidModel, "leaves the model's folder");
  expect("/etc/passwd", "0", StatusCode::InvalidModel, "not a relative path");
  expect("", "0", StatusCode::InvalidModel, "not a relative path");
  expect("none.bin", "0", StatusCode::CannotRead, "none.bin");
  expect("inside.bin", "5", StatusCode::InvalidModel, "ends behind");
  expect("inside.bin", "18446744073709551615", StatusCode::InvalidModel, "ends behind");
  expect("inside.bin", "-4", StatusCode::InvalidModel, "is not a number");
  fs::create_symlink(folder.path / "outside.bin", folder.path / "model" / "escape.bin");
  expect("escape.bin", "0", StatusCode::InvalidModel, "link that leaves");
}

TEST(ImportErrors, externalDataThatIsAllowed) {
  Folder folder;
  fs::create_symlink("inside.bin", folder.path / "model" / "link.bin");
  for (const char *location : {"inside.bin", "link.bin", "./inside.bin"}) {
    onnx_ir::ModelProto model = smallModel();
    addExternal(model, location, "3"); // misaligned, and no length
    MLIRContext context(MLIRContext::Threading::DISABLED);
    auto module = importONNXFromBytes(context, model.SerializeAsString(), folder.model());
    EXPECT_TRUE(module.isOk()) << location << ": " << module.status().message();
  }
}

TEST(ImportErrors, notAModel) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  for (const char *bytes : {"", "not protobuf at all", "\x08\x08"}) {
    auto module = importONNXFromBytes(context, bytes, "");
    ASSERT_FALSE(module.isOk());
    EXPECT_EQ(int(module.status().code()), int(StatusCode::InvalidModel));
  }
}
