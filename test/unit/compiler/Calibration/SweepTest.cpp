//===- SweepTest.cpp - The sweep computes what the engine computes ---------------------------===//
#include "TinyModel.h"

#include <cmath>

using namespace qopt;
using namespace qopt::calibration;
using namespace qopt::test;
using qrt::Status;

namespace {

/// Stops at the linears whose names contain `part` and keeps everything it is shown.
struct Recorder : SweepVisitor {
  std::string part; ///< "-": no linear
  bool result_ = true;
  std::vector<float> logits;
  std::vector<std::string> groups;
  std::vector<std::vector<float>> inputs; ///< by group

  explicit Recorder(std::string part) : part(std::move(part)) {}
  bool wants(qir::LinearOp op) override {
    return weightName(op.getW()).find(part) != std::string::npos && op.getRole() != "head";
  }
  qrt::Result<bool> begin(const LinearGroup &group, qrt::kernels::ThreadPool &) override {
    std::string names;
    for (qir::LinearOp op : group.linears)
      names += weightName(op.getW()) + " ";
    groups.push_back(names);
    inputs.emplace_back();
    return true;
  }
  Status observe(const LinearGroup &group, const Rows &rows, qrt::kernels::ThreadPool &) override {
    EXPECT_EQ(rows.width, group.features);
    EXPECT_EQ(rows.first * rows.width, static_cast<int64_t>(inputs.back().size()));
    inputs.back().insert(inputs.back().end(), rows.data, rows.data + rows.tokens * rows.width);
    return Status::ok();
  }
  bool wantsResult() override { return result_; }
  Status result(const Rows &rows) override {
    logits.insert(logits.end(), rows.data, rows.data + rows.tokens * rows.width);
    return Status::ok();
  }
};

Recorder sweep(mlir::func::FuncOp function, const std::string &part, SweepOptions options = {}) {
  Recorder recorder(part);
  Status status = runSweep(function, makeTokens(), options, recorder);
  EXPECT_TRUE(status.isOk()) << status.message();
  return recorder;
}

} // namespace

TEST(Sweep, LogitsAreThoseOfTheEngine) {
  auto context = makeContext();
  auto module = makeModule(*context);
  std::unique_ptr<qrt::Engine> engine = makeEngine(*module);
  ASSERT_TRUE(engine);
  Recorder recorder = sweep(mainOf(*module), "proj");
  TokenTable table = makeTokens();
  ASSERT_EQ(recorder.logits.size(), size_t(table.tokens() * tinyShape.vocabulary));
  double worst = 0;
  for (const TokenTable::Sequence &sequence : table.sequences) {
    int number = *engine->addSequence();
    for (int64_t begin = 0; begin < sequence.tokens; begin += 512) {
      const int64_t count = std::min<int64_t>(512, sequence.tokens - begin);
      qrt::Engine::Chunk chunk{number, std::span(table.ids).subspan(sequence.first + begin, count),
                               qrt::Engine::Logits::All};
      auto step = engine->step({&chunk, 1});
      ASSERT_TRUE(step.isOk()) << step.status().message();
      const float *got = recorder.logits.data() + (sequence.first + begin) * tinyShape.vocabulary;
      for (int64_t i = 0; i < count * tinyShape.vocabulary; ++i)
        worst = std::max(worst, double(std::abs(step->logits[i] - got[i])));
    }
    engine->release(number);
  }
  EXPECT_LT(worst, 1e-5);
}

TEST(Sweep, GroupsAreLinearsOfOneInput) {
  auto context = makeContext();
  auto module = makeModule(*context);
  Recorder recorder = sweep(mainOf(*module), "layers.0");
  ASSERT_EQ(recorder.groups.size(), 4u);
  EXPECT_EQ(recorder.groups[0],
            "model.layers.0.self_attn.q_proj.weight model.layers.0.self_attn.k_proj.weight "
            "model.layers.0.self_attn.v_proj.weight ");
  EXPECT_EQ(recorder.groups[1], "model.layers.0.self_attn.o_proj.weight ");
  EXPECT_EQ(recorder.groups[2],
            "model.layers.0.mlp.gate_proj.weight model.layers.0.mlp.up_proj.weight ");
  EXPECT_EQ(recorder.groups[3], "model.layers.0.mlp.down_proj.weight ");
}

TEST(Sweep, ThreadsMemoryAndCutsChangeNothing) {
  auto context = makeContext();
  auto module = makeModule(*context);
  SweepOptions one, three, spilled;
  one.threads = 1;
  three.threads = 3;
  spilled.maxActivationBytes = 0;
  Recorder reference = sweep(mainOf(*module), "proj", one);
  for (const SweepOptions &options : {three, spilled}) {
    Recorder other = sweep(mainOf(*module), "proj", options);
    EXPECT_EQ(reference.logits, other.logits);
    EXPECT_EQ(reference.inputs, other.inputs);
  }
  EXPECT_EQ(reference.logits, sweep(mainOf(*module), "-", one).logits);
  EXPECT_EQ(reference.logits, sweep(mainOf(*module), "down_proj", one).logits);
}

TEST(Sweep, AReplacedLinearIsWhatTheRestSees) {
  auto context = makeContext();
  auto module = makeModule(*context);
  /// Puts a linear with the weights of gate_proj in the place of up_proj.
  struct Replacer : Recorder {
    using Recorder::Recorder;
    bool wants(qir::LinearOp op) override {
      std::string name = weightName(op.getW());
      return name.find("layers.1.mlp.gate") != std::string::npos ||
             name.find("layers.1.mlp.up") != std::string::npos;
    }
    Status finish(LinearGroup &group, qrt::kernels::ThreadPool &) override {
      qir::LinearOp gate = group.linears[0], up = group.linears[1];
      mlir::OpBuilder builder(up);
      auto made = qir::LinearOp::create(builder, up.getLoc(), up.getType(), up.getX(), gate.getW(),
                                        gate.getBias(), nullptr, nullptr);
      up.replaceAllUsesWith(made.getY());
      up.erase();
      group.replacements[1] = made;
      return Status::ok();
    }
  } both("");
  Recorder before = sweep(mainOf(*module), "-");
  Status status = runSweep(mainOf(*module), makeTokens(), {}, both);
  ASSERT_TRUE(status.isOk()) << status.message();
  Recorder plain = sweep(mainOf(*module), "-"); // the graph as it is now
  EXPECT_EQ(both.logits, plain.logits);
  EXPECT_NE(both.logits, before.logits);
}

TEST(Sweep, RefusesWhatItCannotRun) {
  auto context = makeContext();
  auto module = makeModule(*context);
  Recorder recorder("proj");
  EXPECT_EQ(runSweep(mainOf(*module), TokenTable(), {}, recorder).code(),
            qrt::StatusCode::InvalidArgument);
  TokenTable outside;
  std::vector<int32_t> ids = {1, 96};
  outside.append(ids);
  Status status = runSweep(mainOf(*module), outside, {}, recorder);
  EXPECT_EQ(status.code(), qrt::StatusCode::InvalidArgument);
  EXPECT_NE(status.message().find("token id 96"), std::string::npos) << status.message();
  std::atomic<bool> interrupted = true;
  SweepOptions options;
  options.interrupted = &interrupted;
  EXPECT_EQ(runSweep(mainOf(*module), makeTokens(), options, recorder).code(),
            qrt::StatusCode::Interrupted);
  mainOf(*module)->removeAttr("qir.token_major");
  EXPECT_EQ(runSweep(mainOf(*module), makeTokens(), {}, recorder).code(),
            qrt::StatusCode::Unsupported);
}
