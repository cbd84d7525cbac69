//===- CApiTest.cpp - The C interface agrees with the C++ one --------------------------------===//
#include "qrt/qrt.h"

#include "TinyModel.h"

#include <gtest/gtest.h>

using namespace qrt::test;

TEST(CApi, StepsGiveTheSameLogits) {
  TinyModel tiny({});
  qrt_model *model = nullptr;
  ASSERT_EQ(qrt_model_load(tiny.path.c_str(), 1, &model), QRT_OK) << qrt_last_error();
  EXPECT_EQ(qrt_model_vocab_size(model), 50);
  EXPECT_EQ(qrt_model_max_context(model), 0);
  size_t size = 0;
  const char *config = qrt_model_section(model, "config", &size);
  EXPECT_EQ(std::string(config, size), "{\"tiny\": true}");
  EXPECT_EQ(qrt_model_section(model, "tokenizer", &size), nullptr);
  EXPECT_EQ(size, 0u);

  qrt_engine_options options = {sizeof options, 1, QRT_KV_F32, 0, 0, 0};
  qrt_engine *engine = nullptr;
  ASSERT_EQ(qrt_engine_create(model, &options, &engine), QRT_OK) << qrt_last_error();
  qrt_model_free(model); // the engine keeps it alive
  int32_t sequence = -1;
  ASSERT_EQ(qrt_sequence_add(engine, &sequence), QRT_OK);
  auto tokens = randomTokens(9, 50, 1);
  qrt_chunk chunk = {sequence, QRT_LOGITS_ALL, tokens.data(), 9};
  const float *logits = nullptr;
  int64_t rows = 0;
  ASSERT_EQ(qrt_step(engine, &chunk, 1, &logits, &rows), QRT_OK) << qrt_last_error();
  ASSERT_EQ(rows, 9);
  auto other = tiny.engine({.threads = 1});
  auto expected = runChunk(*other, *other->addSequence(), tokens);
  for (size_t r = 0; r < 9; ++r)
    EXPECT_EQ(std::vector<float>(logits + r * 50, logits + r * 50 + 50), expected[r]);
  EXPECT_EQ(qrt_sequence_length(engine, sequence), 9);
  EXPECT_EQ(qrt_sequence_truncate(engine, sequence, 4), QRT_OK);
  EXPECT_EQ(qrt_sequence_length(engine, sequence), 4);
  qrt_sequence_release(engine, sequence);
  EXPECT_EQ(qrt_sequence_length(engine, sequence), -1);
  qrt_engine_free(engine);
}

TEST(CApi, ErrorsAreCodesAndMessages) {
  qrt_model *model = reinterpret_cast<qrt_model *>(1);
  EXPECT_EQ(qrt_model_load("/no/such.qmod", 0, &model), QRT_CANNOT_READ);
  EXPECT_EQ(model, nullptr);
  EXPECT_STREQ(qrt_last_error(), "/no/such.qmod: No such file or directory");
  EXPECT_EQ(qrt_model_load(nullptr, 0, &model), QRT_INVALID_ARGUMENT);
  EXPECT_EQ(qrt_step(nullptr, nullptr, 0, nullptr, nullptr), QRT_INVALID_ARGUMENT);
  EXPECT_EQ(qrt_engine_create(nullptr, nullptr, nullptr), QRT_INVALID_ARGUMENT);
  TinyModel tiny({});
  ASSERT_EQ(qrt_model_load(tiny.path.c_str(), 0, &model), QRT_OK);
  qrt_engine *engine = nullptr;
  qrt_engine_options options = {};
  EXPECT_EQ(qrt_engine_create(model, &options, &engine), QRT_INVALID_ARGUMENT);
  ASSERT_EQ(qrt_engine_create(model, nullptr, &engine), QRT_OK);
  int32_t token = 50;
  qrt_chunk chunk = {0, QRT_LOGITS_LAST, &token, 1};
  EXPECT_EQ(qrt_step(engine, &chunk, 1, nullptr, nullptr), QRT_INVALID_ARGUMENT);
  EXPECT_STREQ(qrt_last_error(), "no sequence 0");
  chunk.count = 0;
  EXPECT_EQ(qrt_step(engine, &chunk, 1, nullptr, nullptr), QRT_INVALID_ARGUMENT);
  qrt_engine_free(engine);
  qrt_model_free(model);
  qrt_model_free(nullptr);
  qrt_engine_free(nullptr);
  EXPECT_STREQ(qrt_version(), "0.1.0");
}
