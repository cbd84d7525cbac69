//===- ImportMutationsTest.cpp - Damaged .onnx files never crash ------------------------------===//
// Seeded byte changes, cuts and repetitions of a committed model: each either imports or gives an
// error with a message. (A crash or a sanitizer report fails the test.)
#include "qopt/Frontend/ImportONNX.h"

#include "mlir/IR/MLIRContext.h"

#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <random>

using namespace mlir;

static std::string readAll(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

static void mutate(const std::string &name, int rounds) {
  const std::string original = readAll(std::string(QOPT_FIXTURES_DIR) + "/onnx/" + name);
  ASSERT_FALSE(original.empty()) << name;
  std::mt19937 random(20260101);
  int errors = 0;
  for (int round = 0; round < rounds; ++round) {
    std::string bytes = original;
    for (int change = 1 + int(random() % 4); change > 0; --change) {
      size_t at = random() % bytes.size();
      switch (random() % (round % 2 ? 4 : 2)) { // even rounds keep the length, so it still parses
      case 0:
        bytes[at] = char(random());
        break;
      case 1:
        bytes[at] ^= char(1u << (random() % 8));
        break;
      case 2:
        bytes.resize(at + 1);
        break;
      default:
        bytes.insert(at, bytes.substr(at, random() % 16));
        break;
      }
    }
    MLIRContext context(MLIRContext::Threading::DISABLED);
    auto module = qopt::importONNXFromBytes(context, bytes, "");
    if (module)
      continue;
    ++errors;
    EXPECT_FALSE(module.status().message().empty());
    EXPECT_NE(int(module.status().code()), int(qrt::StatusCode::Internal))
        << module.status().message();
  }
  EXPECT_GT(errors, 0); // the mutations do reach the checks
}

TEST(ImportMutations, genai) { mutate("models/qwen3/genai_fp32.onnx", 150); }
TEST(ImportMutations, optimum) { mutate("models/gpt2/optimum.onnx", 100); }
TEST(ImportMutations, mobius) { mutate("models/llama/mobius.onnx", 150); }
TEST(ImportMutations, operators) {
  // Small files: most changes hit the structure, not the weights.
  for (const char *name :
       {"if_branches", "local_function", "matmul_nbits_4_32", "contrib_attention", "slice_steps",
        "split_uneven", "attention_softcap", "rotary_interleaved_partial", "matmul_integer", "pad",
        "embed_layer_norm", "top_k", "einsum", "gelus", "squeeze_11", "multi_head_attention"})
    mutate(std::string("ops/") + name + ".onnx", 200);
}
