//===- HostileFilesTest.cpp - 2,000 damaged and forged files ----------------------------------===//
// Every mutated file must either be refused with a rule or run: no crash, no hang, no unbounded
// memory. Half of the mutations repair the checksums afterwards or edit the decoded program, so
// that the semantic rules and the engine behind them are reached, not only the checksum.
#include "../Format/FileBytes.h"
#include "TinyModel.h"

#include <algorithm>
#include <cstdio>
#include <gtest/gtest.h>
#include <map>
#include <random>

using namespace qrt;
using namespace qrt::test;

namespace {

using Random = std::mt19937_64;

template <class T>
T pick(Random &random, std::initializer_list<T> list) {
  return list.begin()[random() % list.size()];
}
int64_t hostileNumber(Random &random) {
  return pick<int64_t>(random, {0, 1, -1, 2, 7, 16, 63, 64, 65, 4096, 65535, 1 << 20, INT32_MAX,
                                int64_t(INT32_MAX) + 1, int64_t(1) << 40, INT64_MAX, INT64_MIN});
}
template <class T>
void disturb(Random &random, T &number) {
  number = random() % 2 ? T(hostileNumber(random)) : T(number + T(random() % 3) - 1);
}
template <class T>
T &anyOf(Random &random, std::vector<T> &list) {
  return list[random() % list.size()];
}

void mutateAttr(Random &random, Attr &attr) {
  if (auto *number = std::get_if<int64_t>(&attr.value))
    disturb(random, *number);
  else if (auto *list = std::get_if<std::vector<int64_t>>(&attr.value); list && !list->empty())
    disturb(random, anyOf(random, *list));
  else
    attr.value = pick<AttrValue>(
        random, {int64_t(1), 0.5, 1e300, std::string("silu"), std::vector<int64_t>{1, 2}});
}

/// Edits one field of the program's structs.
void mutateProgram(Random &random, Program &p) {
  switch (random() % 12) {
  case 0:
    disturb(random, anyOf(random, p.values).width);
    break;
  case 1: // a place that is aligned, so that the plan itself is tested
    anyOf(random, p.values).arenaOffset = int64_t(random() % 200) * 16;
    break;
  case 2:
    disturb(random, anyOf(random, p.values).tensorIndex);
    break;
  case 3: {
    Instruction &instruction = anyOf(random, p.instructions);
    anyOf(random, instruction.inputs) = int32_t(random() % (p.values.size() + 2)) - 1;
    break;
  }
  case 4:
    anyOf(random, anyOf(random, p.instructions).outputs) = int32_t(random() % p.values.size());
    break;
  case 5: {
    Instruction &instruction = anyOf(random, p.instructions);
    if (!instruction.attrs.empty())
      mutateAttr(random, anyOf(random, instruction.attrs));
    break;
  }
  case 6:
    std::swap(anyOf(random, p.instructions), anyOf(random, p.instructions));
    break;
  case 7: {
    TensorEntry &tensor = anyOf(random, p.tensors);
    disturb(random,
            *pick<uint64_t *>(random, {&tensor.dataOffset, &tensor.dataBytes, &tensor.scalesOffset,
                                       &tensor.scalesBytes, &tensor.zeroPointsOffset}));
    break;
  }
  case 8: {
    TensorEntry &tensor = anyOf(random, p.tensors);
    disturb(random, anyOf(random, tensor.shape));
    if (random() % 2)
      tensor.weight.format = kernels::WeightFormat(random() % 7);
    break;
  }
  case 9:
    disturb(random, *pick<int64_t *>(random, {&p.arenaFloatsPerToken, &p.maxContext,
                                              &p.caches[0].kvHeads, &p.caches[0].window}));
    break;
  case 10:
    anyOf(random, p.instructions).op = OpCode(random() % numOpCodes);
    break;
  default:
    // Consistent on both sides, so that it gets through and runs.
    for (Instruction &instruction : p.instructions)
      if (instruction.op == OpCode::Attention && instruction.getInt("cache") == 0)
        for (Attr &attr : instruction.attrs)
          if (attr.name == "window") {
            disturb(random, p.caches[0].window);
            attr.value = p.caches[0].window;
          }
  }
}

Bytes mutate(Random &random, const std::vector<Bytes> &files) {
  Bytes bytes = files[random() % files.size()];
  const uint64_t programAt = sectionOf(bytes, SectionKind::Program)->offset;
  const uint64_t programBytes = sectionOf(bytes, SectionKind::Program)->length;
  switch (random() % 8) {
  case 0: // bit flips anywhere
    for (uint64_t i = 0, n = 1 + random() % 16; i < n; ++i)
      bytes[random() % bytes.size()] ^= uint8_t(1 << random() % 8);
    break;
  case 1: // truncation
    bytes.resize(random() % bytes.size());
    break;
  case 2: { // splice of another file
    const Bytes &other = files[random() % files.size()];
    size_t from = random() % other.size(), to = random() % bytes.size();
    size_t n = std::min({size_t(1) << random() % 14, other.size() - from, bytes.size() - to});
    std::copy_n(other.begin() + long(from), n, bytes.begin() + long(to));
    if (random() % 2)
      reseal(bytes);
    break;
  }
  case 3: // header and section table, checksums right
    for (uint64_t i = 0, n = 1 + random() % 3; i < n; ++i)
      bytes[random() % (64 + 64 * 4)] = uint8_t(random());
    reseal(bytes);
    break;
  case 4: // bytes of the program, checksums right
    for (uint64_t i = 0, n = 1 + random() % 4; i < n; ++i)
      bytes[programAt + random() % programBytes] ^= uint8_t(1 << random() % 8);
    reseal(bytes);
    break;
  case 5: { // words of the program, checksums right
    size_t at = programAt + random() % (programBytes / 4) * 4;
    int32_t word = int32_t(hostileNumber(random));
    std::memcpy(bytes.data() + at, &word, 4);
    reseal(bytes);
    break;
  }
  default: { // a forged program
    Program program = *decodeProgram({bytes.data() + programAt, size_t(programBytes)});
    for (uint64_t i = 0, n = 1 + random() % 2; i < n; ++i)
      mutateProgram(random, program);
    bytes = withProgram(std::move(bytes), program);
    if (random() % 4 == 0) // and weights of any value: NaN scales, huge activations
      for (uint64_t i = 0; i < 64; ++i)
        bytes[4096 + random() % (bytes.size() - 4096) % 4096] = uint8_t(random());
    reseal(bytes);
  }
  }
  return bytes;
}

TinyConfig smallConfig(kernels::WeightFormat format, bool gpt) {
  TinyConfig config;
  config.layers = 1;
  config.hidden = 32;
  config.headDim = 8;
  config.ffn = 40;
  config.vocab = 20;
  config.positions = 40;
  config.format = format;
  config.symmetric = false;
  config.activation = kernels::isQuantized(format) ? "a16" : "f32";
  config.gptStyle = gpt;
  config.window = 3;
  return config;
}

} // namespace

TEST(HostileFiles, TwoThousandMutationsNeverCrash) {
  std::vector<Bytes> files;
  for (auto [format, gpt] :
       {std::pair(kernels::WeightFormat::F32, false), std::pair(kernels::WeightFormat::U4, false),
        std::pair(kernels::WeightFormat::U3, true), std::pair(kernels::WeightFormat::BF16, true)}) {
    TinyModel tiny(smallConfig(format, gpt));
    files.push_back(readBytes(tiny.path));
  }
  TinyConfig sparse = smallConfig(kernels::WeightFormat::U2, false);
  sparse.outliers = 0.1;
  files.push_back(readBytes(TinyModel(sparse).path));
  int loaded = 0, ran = 0, refused = 0, checksum = 0;
  std::map<std::string, int> rules;
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    Bytes bytes = mutate(random, files);
    AlignedBytes aligned(bytes);
    auto model = Model::fromMemory(aligned.span(), "m", {.verifyChecksums = seed % 2 == 0});
    if (!model) {
      ++refused;
      ASSERT_EQ(model.status().code(), StatusCode::InvalidModel) << model.status().message();
      ASSERT_TRUE(model.status().message().starts_with("m: R")) << model.status().message();
      std::string message = model.status().message();
      ++rules[message.substr(3, message.find(' ', 3) - 3)];
      continue;
    }
    ++loaded;
    auto engine =
        Engine::create(*model, {.threads = 1, .prefillChunk = 4, .maxMemory = int64_t(64) << 20});
    if (!engine)
      continue;
    auto seq = (*engine)->addSequence();
    std::vector<int32_t> tokens = {1, 2, 3, 0, 1};
    Engine::Chunk chunk{*seq, tokens, Engine::Logits::All};
    auto result = (*engine)->step({&chunk, 1});
    ran += result.isOk();
    // Reads every logit; values may be anything, the memory must be there (asan, valgrind).
    float sum = 0;
    for (int64_t i = 0; result && i < result->rows * (*engine)->vocabSize(); ++i)
      sum += result->logits[i];
    checksum += sum == sum;
  }
  EXPECT_GT(refused, 1200);
  EXPECT_GT(ran, 150);
  EXPECT_GT(checksum, 100);
  // The mutations reach deep: most rules are hit.
  EXPECT_GE(rules.size(), 18u);
  std::string summary;
  for (const auto &[rule, count] : rules)
    summary += rule + ":" + std::to_string(count) + " ";
  std::printf("refused %d, loaded %d, ran %d; %s\n", refused, loaded, ran, summary.c_str());
}
