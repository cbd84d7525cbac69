//===- ContainerTest.cpp - Header, sections, checksums, writer and round trip ----------------===//
#include "FileBytes.h"
#include "Format/FileSize.h"
#include "Format/Verifier.h"
#include "Format/Writer.h"
#include "TinyModel.h"

#include <cmath>
#include <filesystem>
#include <functional>
#include <gtest/gtest.h>

using namespace qrt;
using namespace qrt::test;

static std::string loadError(const Bytes &bytes, bool checksums = false) {
  AlignedBytes aligned(bytes);
  auto model = Model::fromMemory(aligned.span(), "m", {.verifyChecksums = checksums});
  if (model)
    return "no error";
  EXPECT_EQ(model.status().code(), StatusCode::InvalidModel);
  return model.status().message();
}

TEST(Checksum, MatchesTheSpecification) {
  // Vectors of the xxHash specification's sanity checks: the seedless hash of prefixes of a buffer
  // made by its generator.
  std::vector<uint8_t> buffer(101);
  uint64_t generator = 2654435761u;
  for (uint8_t &byte : buffer) {
    byte = uint8_t(generator >> 56);
    generator *= 11400714785074694797u;
  }
  auto hash = [&](size_t n) { return Checksum::of({buffer.data(), n}); };
  EXPECT_EQ(hash(0), 0xEF46DB3751D8E999u);
  EXPECT_EQ(hash(1), 0xE934A84ADB052768u);
  EXPECT_EQ(hash(4), 0x9136A0DCA57457EEu);
  EXPECT_EQ(hash(14), 0x8282DCC4994E35C8u);
  std::string_view abc = "abc";
  EXPECT_EQ(Checksum::of({reinterpret_cast<const uint8_t *>(abc.data()), 3}), 0x44BC2CF5AD770999u);
  for (size_t cut = 0; cut <= buffer.size(); ++cut) {
    Checksum sum;
    sum.update(buffer.data(), cut);
    sum.update(buffer.data() + cut, buffer.size() - cut);
    EXPECT_EQ(sum.digest(), hash(buffer.size()));
  }
}

TEST(Container, EveryHeaderRuleHasItsMessage) {
  TinyModel tiny({});
  const Bytes good = readBytes(tiny.path);
  EXPECT_EQ(loadError(good, true), "no error");
  auto broken = [&](std::function<void(Bytes &)> change, bool sealAgain = true) {
    Bytes bytes = good;
    change(bytes);
    if (sealAgain)
      reseal(bytes);
    return loadError(bytes, true);
  };
  auto header = [](Bytes &b) -> FileHeader & { return at<FileHeader>(b, 0); };
  auto entry = [](Bytes &b, size_t i) -> SectionEntry & {
    return at<SectionEntry>(b, 64 + 64 * i);
  };
  EXPECT_EQ(broken([](Bytes &b) { b[0] = 'X'; }), "m: R1 magic: not a .qmod file");
  EXPECT_EQ(loadError({}), "m: R1 magic: not a .qmod file");
  EXPECT_EQ(loadError(Bytes(good.begin(), good.begin() + 20)),
            "m: R4 file-size: the file ends inside the header (20 bytes)");
  EXPECT_EQ(broken([&](Bytes &b) { header(b).major = 2; }), "m: R2 version: format version 2." +
                                                                std::to_string(qmodMinor) +
                                                                ", this build reads 1.x");
  EXPECT_EQ(broken([&](Bytes &b) { header(b).fileSize++; }, false),
            "m: R3 header: checksum of the header does not match");
  EXPECT_EQ(broken([&](Bytes &b) { header(b).reserved1[1] = 1; }),
            "m: R3 header: unexpected header size or reserved field");
  EXPECT_TRUE(broken([&](Bytes &b) { b.pop_back(); }).starts_with("m: R4 file-size: "));
  EXPECT_TRUE(broken([&](Bytes &b) {
                header(b).sectionCount = 64;
              }).starts_with("m: R5 section-table: 64 sections"));
  EXPECT_EQ(broken([&](Bytes &b) { b[70] ^= 1; }, false),
            "m: R5 section-table: checksum of the section table does not match");
  EXPECT_EQ(broken([&](Bytes &b) { entry(b, 1).offset += 64; }),
            "m: R6 section-bounds: section config (kind 7) starts at " +
                std::to_string(
                    sectionOf(const_cast<Bytes &>(good), SectionKind::ModelConfig)->offset + 64) +
                ", not at a multiple of 4096");
  EXPECT_EQ(broken([&](Bytes &b) { entry(b, 2).length = ~uint64_t(0) - 4096; }),
            "m: R6 section-bounds: section program (kind 1) ends outside the file");
  EXPECT_EQ(broken([&](Bytes &b) { entry(b, 1).offset = 4096; }),
            "m: R7 section-overlap: section config (kind 7) and section weights (kind 2)");
  EXPECT_EQ(broken([&](Bytes &b) { entry(b, 1).kind = 2; }),
            "m: R8 sections: section weights (kind 2) occurs twice");
  EXPECT_EQ(broken([&](Bytes &b) { entry(b, 2).kind = 77; }), "m: R8 sections: no program section");
  EXPECT_EQ(broken([&](Bytes &b) { b[entry(b, 1).offset] ^= 1; }, false),
            "m: R9 section-checksum: section config (kind 7) is damaged");
  EXPECT_EQ(broken([&](Bytes &b) { entry(b, 1).kind = 77; }), "no error"); // unknown: skipped
}

TEST(Container, WeightsAreCheckedOnlyOnRequest) {
  TinyModel tiny({});
  Bytes bytes = readBytes(tiny.path);
  bytes[5000] ^= 1;
  EXPECT_EQ(loadError(bytes, false), "no error");
  EXPECT_EQ(loadError(bytes, true), "m: R9 section-checksum: section weights (kind 2) is damaged");
}

TEST(Container, FlatBufferRules) {
  TinyModel tiny({});
  Bytes bytes = readBytes(tiny.path);
  size_t offset = sectionOf(bytes, SectionKind::Program)->offset;
  at<uint32_t>(bytes, offset) = 0x7fffffff; // the root
  reseal(bytes);
  EXPECT_EQ(loadError(bytes),
            "m: R10 flatbuffer: the program section is not a well-formed FlatBuffer");
}

TEST(Container, ProgramsRoundTrip) {
  TinyConfig config;
  config.format = kernels::WeightFormat::U4;
  config.symmetric = false;
  TinyModel tiny(config);
  auto model = tiny.load();
  Program copy = *decodeProgram(*encodeProgram(model->program()));
  const Program &program = model->program();
  ASSERT_EQ(copy.instructions.size(), program.instructions.size());
  EXPECT_EQ(*encodeProgram(copy), *encodeProgram(program));
  EXPECT_EQ(model->section(SectionKind::ModelConfig), "{\"tiny\": true}");
  EXPECT_TRUE(model->section(SectionKind::Tokenizer).empty());
  const TensorEntry &tensor = program.tensors[0];
  EXPECT_EQ(tensor.name, "embed");
  EXPECT_TRUE(tensor.packed);
  EXPECT_EQ(tensor.weight.format, kernels::WeightFormat::U4);
  EXPECT_FALSE(tensor.weight.symmetric);
  EXPECT_EQ(tensor.weight.groupSize, 32);
  EXPECT_TRUE(std::isnan(tensor.rmsError));
}

TEST(FileSize, IsThatOfTheWrittenFile) {
  for (auto format : {kernels::WeightFormat::F32, kernels::WeightFormat::U4}) {
    TinyConfig config;
    config.format = format;
    TinyModel tiny(config);
    auto model = tiny.load();
    Program program = model->program();
    std::vector<TensorEntry> tensors = std::exchange(program.tensors, {});
    const auto real = static_cast<int64_t>(readBytes(tiny.path).size());
    for (TensorEntry &tensor : tensors) // as the compiler asks: without a place
      tensor.dataOffset = tensor.scalesOffset = tensor.zeroPointsOffset = 0;
    const int64_t sections[] = {
        static_cast<int64_t>(model->section(SectionKind::ModelConfig).size())};
    auto planned = plannedFileBytes(program, tensors, sections);
    ASSERT_TRUE(planned) << planned.status().message();
    EXPECT_EQ(*planned, real);
    tensors[0].packed = true;
    tensors[0].weight.groupSize = 48;
    tensors[0].weight.format = kernels::WeightFormat::U4;
    EXPECT_EQ(plannedFileBytes(program, tensors, sections).status().code(),
              StatusCode::InvalidArgument);
  }
}

TEST(Container, PlainTensorsKeepEveryDtype) {
  TinyModel tiny({});
  std::string path = tiny.path + ".dtypes";
  auto writer = QmodWriter::create(path);
  ASSERT_TRUE(writer);
  const int64_t minusOne = -1;
  for (uint8_t i = 0; i < numDTypes; ++i) {
    TensorEntry entry;
    entry.name = std::string(name(DType(i)));
    entry.dtype = DType(i);
    entry.sources = {{"onnx/" + entry.name, i % 2 == 0}};
    entry.rmsError = 0.25 * i;
    ASSERT_EQ(*writer->addTensor(entry, &minusOne), i);
  }
  Program program;
  program.kind = ProgramKind::Generic;
  program.vocabSize = 1;
  Status status = writer->finish(program);
  ASSERT_TRUE(status) << status.message();
  auto model = Model::load(path, {.verifyChecksums = true});
  std::filesystem::remove(path);
  ASSERT_TRUE(model) << model.status().message();
  for (uint8_t i = 0; i < numDTypes; ++i) {
    float value = 0;
    ASSERT_TRUE((*model)->dequantizeTensor(i, &value));
    if (isFloat(DType(i)))
      EXPECT_TRUE(std::isnan(value)) << i; // all bits set
    else if (isSigned(DType(i)))
      EXPECT_EQ(value, -1) << i;
    else
      EXPECT_GT(value, 200) << i;
    EXPECT_EQ((*model)->program().tensors[i].sources[0].transposed, i % 2 == 0);
    EXPECT_EQ((*model)->program().tensors[i].rmsError, 0.25 * i);
  }
  EXPECT_EQ((*model)->dequantizeTensor(99, nullptr).message(), "no tensor 99");
}

TEST(Writer, RefusesWhatTheVerifierRefuses) {
  TinyModel tiny({});
  std::string path = tiny.path + ".bad";
  auto writer = QmodWriter::create(path);
  ASSERT_TRUE(writer);
  TensorEntry entry;
  entry.name = "w";
  entry.shape = {4, 4};
  EXPECT_EQ(writer->addTensor(entry, nullptr).status().message(),
            "tensor 'w': data, scales or zero points missing or not expected");
  entry.packed = true;
  entry.weight.format = kernels::WeightFormat::U4;
  entry.weight.groupSize = 48;
  EXPECT_TRUE(writer->addTensor(entry, "").status().message().starts_with(
      "R13 tensor-shape: tensor 'w': "));
  EXPECT_EQ(writer->addSection(SectionKind::Weights, "").message(),
            "section weights is written by the writer itself");
  ASSERT_TRUE(writer->addSection(SectionKind::Recipe, "{}"));
  EXPECT_EQ(writer->addSection(SectionKind::Recipe, "{}").message(), "section recipe added twice");
  Status status = writer->finish({});
  EXPECT_TRUE(status.message().starts_with("R28 interface: ")) << status.message();
  EXPECT_FALSE(std::filesystem::exists(path));
}
