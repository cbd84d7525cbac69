//===- ModelFilesTest.cpp - Which files of a model folder go into the .qmod -------------------===//
#include "qopt/Pipelines/ModelFiles.h"

#include "Support/Json.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

namespace fs = std::filesystem;
using namespace qopt;
using qrt::SectionKind;

namespace {

class ModelFiles : public testing::Test {
protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "qopt-model-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder = pattern;
    fs::create_directory(folder / "onnx");
    write("onnx/model.onnx", "");
  }
  void TearDown() override { fs::remove_all(folder); }

  void write(const std::string &name, const std::string &text) {
    std::ofstream(folder / name, std::ios::binary) << text;
  }
  /// The section's text, "(none)" if there is none.
  std::string section(SectionKind kind) {
    auto sidecars = readSidecars((folder / "onnx/model.onnx").string());
    if (!sidecars)
      return "error: " + sidecars.status().message();
    for (const auto &[found, bytes] : sidecars->sections)
      if (found == kind)
        return bytes;
    return "(none)";
  }
  qrt::Json json(SectionKind kind) {
    auto parsed = qrt::parseJson(section(kind), "section");
    return parsed ? parsed.takeValue() : qrt::Json();
  }
  fs::path folder;
};

} // namespace

TEST_F(ModelFiles, NothingIsRequired) {
  for (SectionKind kind : {SectionKind::Tokenizer, SectionKind::TokenizerConfig,
                           SectionKind::ChatTemplate, SectionKind::GenerationConfig})
    EXPECT_EQ(section(kind), "(none)");
}

TEST_F(ModelFiles, TextsArriveAsTheyAre) {
  write("tokenizer.json", R"({"model": {"type":"BPE"}})");
  write("tokenizer_config.json", R"({"chat_template": [{"name":"default","template":"x"}]})");
  write("generation_config.json", R"({"eos_token_id": [1, 2]})");
  EXPECT_EQ(section(SectionKind::Tokenizer), R"({"model": {"type":"BPE"}})");
  EXPECT_EQ(section(SectionKind::TokenizerConfig),
            R"({"chat_template": [{"name":"default","template":"x"}]})");
  EXPECT_EQ(section(SectionKind::GenerationConfig), R"({"eos_token_id": [1, 2]})");
  EXPECT_EQ(section(SectionKind::ChatTemplate), "(none)");
}

TEST_F(ModelFiles, SpecialTokensAreMerged) {
  write("tokenizer_config.json", R"({"eos_token": "<end>"})");
  write("special_tokens_map.json", R"({"eos_token": "<other>", "bos_token": {"content": "<s>"}})");
  qrt::Json config = json(SectionKind::TokenizerConfig);
  EXPECT_EQ(config["eos_token"], "<end>");
  EXPECT_EQ(config["bos_token"]["content"], "<s>");
}

TEST_F(ModelFiles, TemplateOfChatTemplateJson) {
  write("chat_template.json", R"({"chat_template": "{{ messages }}\n"})");
  EXPECT_EQ(section(SectionKind::ChatTemplate), "{{ messages }}\n");
  write("chat_template.jinja", "{{ jinja }}"); // goes first
  EXPECT_EQ(section(SectionKind::ChatTemplate), "{{ jinja }}");
}

TEST_F(ModelFiles, SeveralTemplatesOfChatTemplateJson) {
  write("chat_template.json", R"({"chat_template": {"default": "a", "tool_use": "b"}})");
  qrt::Json expected = {{{"name", "default"}, {"template", "a"}},
                        {{"name", "tool_use"}, {"template", "b"}}};
  EXPECT_EQ(json(SectionKind::TokenizerConfig)["chat_template"], expected);
  write("tokenizer_config.json", R"({"bos_token": "<s>"})");
  EXPECT_EQ(json(SectionKind::TokenizerConfig)["chat_template"], expected);
  EXPECT_EQ(json(SectionKind::TokenizerConfig)["bos_token"], "<s>");
  EXPECT_EQ(section(SectionKind::ChatTemplate), "(none)");
  write("chat_template.json", R"({"chat_template": 3})");
  EXPECT_EQ(section(SectionKind::ChatTemplate),
            "error: chat_template.json: 'chat_template' expects a text, a list or an object");
}

TEST_F(ModelFiles, GenaiConfigStandsInForGeneration) {
  write("genai_config.json",
        R"({"model": {"eos_token_id": [7, 8], "context_length": 99}, "search": {"top_k": 5}})");
  qrt::Json generation = json(SectionKind::GenerationConfig);
  EXPECT_EQ(generation["eos_token_id"], (qrt::Json{7, 8}));
  EXPECT_EQ(generation["top_k"], 5);
}

TEST_F(ModelFiles, BrokenJsonIsNamed) {
  write("tokenizer_config.json", "{");
  EXPECT_NE(section(SectionKind::TokenizerConfig).find("tokenizer_config.json"), std::string::npos);
}
