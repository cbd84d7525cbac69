//===- GenericBindingTest.cpp - Inputs of unraised graphs by their names ---------------------===//
#include "Engine/GenericBinding.h"

#include <gtest/gtest.h>

using namespace qrt;

TEST(GenericBinding, NamesWhatItCannotBind) {
  Program program;
  program.kind = ProgramKind::Generic;
  program.values.resize(8);
  auto in = [](const char *name, int32_t value, std::vector<std::string> dims = {}) {
    return IoDesc{name, value, DType::F32, std::move(dims)};
  };
  program.outputs = {in("logits", 7)};
  program.inputs = {in("input_ids", 0), in("pixel_values", 1), in("tau", 2)};
  EXPECT_EQ(bindGeneric(program).status().message(),
            "the engine has no value for input 'pixel_values', 'tau'");
  program.inputs = {in("attention_mask", 0)};
  EXPECT_EQ(bindGeneric(program).status().message(), "the model has no input 'input_ids'");
  program.inputs = {in("input_ids", 0), in("past_key_values.0.key", 1, {"b", "2", "p", "8"})};
  EXPECT_EQ(bindGeneric(program).status().message(),
            "input 'past_key_values.0.key' has no output 'present.0.key'");
  program.outputs.push_back(in("present.0.key", 6));
  auto binding = bindGeneric(program);
  ASSERT_TRUE(binding);
  EXPECT_EQ(binding->inputs[1].sequenceAxis, 2u);
  EXPECT_EQ(binding->inputs[1].emptyShape, (std::vector<int64_t>{1, 2, 0, 8}));
  EXPECT_EQ(binding->logits, 7);
  program.inputs[1].dims = {"b", "2", "p", "kv_cache_dim"};
  EXPECT_EQ(
      bindGeneric(program).status().message(),
      "input 'past_key_values.0.key': its shape does not tell which dimension is the sequence");
  program.inputs[1].dims = {"4", "2", "p", "8"};
  EXPECT_EQ(bindGeneric(program).status().message(), "input 'past_key_values.0.key': batch size 4");
  program.inputs.pop_back();
  program.outputs = {in("a", 6), in("b", 7)};
  EXPECT_EQ(bindGeneric(program).status().message(), "the model has no output 'logits'");
}

TEST(GenericBinding, FixedSizeCachesAreWrittenInPlace) {
  Program program;
  program.kind = ProgramKind::Generic;
  program.values.resize(8);
  auto in = [](const char *name, int32_t value, std::vector<std::string> dims = {}) {
    return IoDesc{name, value, DType::F32, std::move(dims)};
  };
  program.inputs = {in("input_ids", 0), in("key_cache.0", 1, {"batch", "256", "32"}),
                    in("write_indices", 2, {"batch"}), in("nonpad_kv_seqlen", 3, {"batch"})};
  program.outputs = {in("logits", 7)};
  EXPECT_EQ(bindGeneric(program).status().message(),
            "input 'key_cache.0' has no output 'present.0.key'");
  program.outputs.push_back(in("updated_key_cache.0", 6));
  auto binding = bindGeneric(program);
  ASSERT_TRUE(binding) << binding.status().message();
  EXPECT_EQ(binding->capacity, 256);
  EXPECT_EQ(binding->inputs[1].emptyShape, (std::vector<int64_t>{1, 256, 32}));
  EXPECT_EQ(binding->inputs[2].role, InputRole::WriteIndices);
  EXPECT_EQ(binding->inputs[3].role, InputRole::KvLength);
  program.inputs[1].dims = {"batch", "capacity", "32"};
  EXPECT_EQ(bindGeneric(program).status().message(),
            "input 'key_cache.0': expects fixed dimensions behind the batch");
  program.inputs[1].dims = {"batch", "256"};
  EXPECT_EQ(bindGeneric(program).status().message(),
            "input 'key_cache.0': expects 3 or 4 dimensions");
}
