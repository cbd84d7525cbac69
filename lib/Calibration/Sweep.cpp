//===- Sweep.cpp - All calibration tokens through a graph, linear by linear ------------------===//
// The steps between two groups are a segment: its ops are bound once, then run chunk by chunk, and
// what later segments read is stored.
#include "qopt/Calibration/Sweep.h"

#include "ActivationStore.h"
#include "ForwardOps.h"
#include "SweepPlan.h"

#include "kernels/cpu/Workspace.h"

#include <algorithm>
#include <map>

using namespace mlir;
using qrt::Status;

namespace qopt::calibration {

/// Tokens that a chunk should at least have: enough that a matrix product runs at full speed.
static constexpr int64_t chunkTokens = 1024;

std::string weightName(Value weight) {
  Operation *op = weight.getDefiningOp();
  auto name = op ? op->getLoc()->findInstanceOf<NameLoc>() : NameLoc();
  return name ? name.getName().str() : "";
}

std::optional<SweepArithmetic> parseSweepArithmetic(StringRef text) {
  for (SweepArithmetic arithmetic :
       {SweepArithmetic::F32, SweepArithmetic::A16, SweepArithmetic::A8})
    if (text == sweepArithmeticText(arithmetic))
      return arithmetic;
  return std::nullopt;
}

StringRef sweepArithmeticText(SweepArithmetic arithmetic) {
  switch (arithmetic) {
  case SweepArithmetic::F32:
    return "f32";
  case SweepArithmetic::A16:
    return "a16";
  case SweepArithmetic::A8:
    return "a8";
  }
  return "";
}

namespace {

/// Consecutive sequences of the table.
struct ChunkRange {
  size_t firstSequence = 0, sequences = 0;
  int64_t first = 0, tokens = 0;
};

std::vector<ChunkRange> chunksOf(const TokenTable &table) {
  std::vector<ChunkRange> chunks;
  for (size_t i = 0; i < table.sequences.size(); ++i) {
    if (chunks.empty() || chunks.back().tokens >= chunkTokens)
      chunks.push_back({i, 0, table.sequences[i].first, 0});
    ++chunks.back().sequences;
    chunks.back().tokens += table.sequences[i].tokens;
  }
  return chunks;
}

class SweepRun {
public:
  SweepRun(SweepPlan plan, const TokenTable &table, const SweepOptions &options,
           SweepVisitor &visitor)
      : plan(std::move(plan)), table(table), options(options), visitor(visitor),
        pool(options.threads), chunks(chunksOf(table)) {
    // Two sweeps share what there is.
    budget.free = options.maxActivationBytes / (options.floatFunction ? 2 : 1);
    budget.directory = options.spillDirectory;
  }

  Status run();
  /// Another sweep, over a copy of the function with the same groups, runs one group ahead.
  void setTwin(std::unique_ptr<SweepRun> other) { twin = std::move(other); }
  size_t groups() const { return plan.groups.size(); }

private:
  struct Segment {
    size_t begin = 0, end = 0;
    int shown = -1; ///< slot that the visitor sees
    std::vector<BoundOp> ops;
    std::vector<int> loads, saves; ///< stored slots that are read, made
    std::map<int, int> buffers;    ///< slot -> index of its buffer
  };

  qrt::Result<Segment> prepare(size_t begin, size_t end, int shown);
  Status bindOps(Segment &segment);
  Status placeValues(Segment &segment);
  Status runChunks(Segment &segment, llvm::function_ref<Status(const Rows &)> show);
  Status runChunk(Segment &segment, const ChunkRange &range, Chunk &chunk);
  Status runGroup(size_t index, size_t begin);
  Status runTwin(size_t index, bool shown);
  qrt::Result<const float *> twinRows(const Rows &rows);
  void release(size_t end);

  SweepPlan plan;
  const TokenTable &table;
  const SweepOptions &options;
  SweepVisitor &visitor;
  qrt::kernels::ThreadPool pool;
  qrt::kernels::Workspace workspace;
  KvPages pages;
  RopeTables ropes;
  ActivationBudget budget;
  std::vector<ChunkRange> chunks;
  std::map<int, std::unique_ptr<ActivationStore>> stores; // by slot
  std::vector<std::vector<float>> buffers;
  std::unique_ptr<SweepRun> twin;
  size_t twinAt = 0;                          ///< the twin's next step
  std::unique_ptr<ActivationStore> twinInput; ///< what it shows of the group
  std::vector<float> twinChunk;               ///< of that, if it is a file
};

/// Takes the groups that the other sweep's visitor takes; what it sees goes elsewhere.
class TwinVisitor : public SweepVisitor {
public:
  explicit TwinVisitor(SweepVisitor &other) : other(other) {}
  bool wants(qir::LinearOp linear) override { return other.wants(linear); }
  qrt::Result<bool> begin(const LinearGroup &, qrt::kernels::ThreadPool &) override {
    return false;
  }
  Status observe(const LinearGroup &, const Rows &, qrt::kernels::ThreadPool &) override {
    return Status::ok();
  }
  Status finish(LinearGroup &, qrt::kernels::ThreadPool &) override { return Status::ok(); }

private:
  SweepVisitor &other;
};

} // namespace

Status SweepRun::bindOps(Segment &segment) {
  std::map<std::string, int> problems;
  for (size_t i = segment.begin; i < segment.end; ++i) {
    const SweepPlan::Step &step = plan.steps[i];
    std::string why;
    BoundOp op = bindOp(
        step.op,
        {step.inputs, step.outputs, plan.widths, options.arithmetic, options.products.get()}, why);
    if (!op)
      ++problems[step.op->getName().getStringRef().str() + ": " + why];
    segment.ops.push_back(std::move(op));
  }
  return missingKernels(problems);
}

/// Gives every slot that the segment touches a place: a store if it lives longer or comes from
/// before, else a buffer that is used again behind its last use.
Status SweepRun::placeValues(Segment &segment) {
  const int64_t largest =
      std::max_element(chunks.begin(), chunks.end(), [](const auto &a, const auto &b) {
        return a.tokens < b.tokens;
      })->tokens;
  std::vector<int> freeBuffers;
  int count = 0;
  std::vector<int64_t> sizes;
  auto take = [&](int slot) {
    int buffer = count;
    if (!freeBuffers.empty()) {
      buffer = freeBuffers.back();
      freeBuffers.pop_back();
    } else {
      ++count;
      sizes.push_back(0);
    }
    sizes[buffer] = std::max(sizes[buffer], largest * plan.widths[slot]);
    segment.buffers[slot] = buffer;
  };
  auto load = [&](int slot) -> void {
    if (slot < 0 || !stores.count(slot) || llvm::is_contained(segment.loads, slot) ||
        llvm::is_contained(segment.saves, slot))
      return;
    segment.loads.push_back(slot);
    if (!stores[slot]->rows(0))
      take(slot);
  };
  // Buffers of spilled values are filled before the first op runs: none may be used again.
  for (size_t i = segment.begin; i < segment.end; ++i)
    for (int slot : plan.steps[i].inputs)
      load(slot);
  load(segment.shown);
  for (size_t i = segment.begin; i < segment.end; ++i) {
    for (int slot : plan.steps[i].outputs) {
      const bool last = segment.end == plan.steps.size();
      if (plan.lastUse[slot] >= segment.end && !last) {
        QRT_ASSIGN_OR_RETURN(stores[slot],
                             ActivationStore::create(table.tokens(), plan.widths[slot], budget));
        segment.saves.push_back(slot);
        if (stores[slot]->rows(0))
          continue;
      }
      take(slot);
    }
    auto dies = [&](int slot) {
      return slot >= 0 && plan.lastUse[slot] <= i && slot != segment.shown &&
             segment.buffers.count(slot) && !llvm::is_contained(segment.loads, slot) &&
             !llvm::is_contained(segment.saves, slot);
    };
    std::vector<int> dead;
    for (const std::vector<int> *list : {&plan.steps[i].inputs, &plan.steps[i].outputs})
      for (int slot : *list)
        if (dies(slot) && !llvm::is_contained(dead, slot))
          dead.push_back(slot);
    for (int slot : dead)
      freeBuffers.push_back(segment.buffers[slot]);
  }
  buffers.resize(std::max<size_t>(buffers.size(), count));
  for (int i = 0; i < count; ++i)
    if (static_cast<int64_t>(buffers[i].size()) < sizes[i])
      buffers[i].resize(sizes[i]);
  return Status::ok();
}

qrt::Result<SweepRun::Segment> SweepRun::prepare(size_t begin, size_t end, int shown) {
  Segment segment;
  segment.begin = begin;
  segment.end = end;
  segment.shown = shown;
  QRT_RETURN_IF_ERROR(bindOps(segment));
  QRT_RETURN_IF_ERROR(placeValues(segment));
  return segment;
}

Status SweepRun::runChunk(Segment &segment, const ChunkRange &range, Chunk &chunk) {
  chunk.tokens = range.tokens;
  chunk.ids.assign(table.ids.begin() + range.first, table.ids.begin() + range.first + range.tokens);
  chunk.positions.clear();
  chunk.sequences.clear();
  for (size_t s = 0; s < range.sequences; ++s) {
    const TokenTable::Sequence &sequence = table.sequences[range.firstSequence + s];
    chunk.sequences.push_back({static_cast<int64_t>(chunk.positions.size()), sequence.tokens});
    for (int64_t i = 0; i < sequence.tokens; ++i)
      chunk.positions.push_back(static_cast<int32_t>(i));
  }
  ropes.setPositions(chunk.positions);
  for (auto [slot, buffer] : segment.buffers)
    chunk.values[slot] = buffers[buffer].data();
  for (int slot : segment.saves)
    if (float *rows = stores[slot]->rows(range.first))
      chunk.values[slot] = rows;
  for (int slot : segment.loads) {
    if (float *rows = stores[slot]->rows(range.first))
      chunk.values[slot] = rows;
    else
      QRT_RETURN_IF_ERROR(stores[slot]->read(range.first, range.tokens, chunk.values[slot]));
  }
  for (const BoundOp &op : segment.ops)
    QRT_RETURN_IF_ERROR(op(chunk));
  for (int slot : segment.saves)
    if (!stores[slot]->rows(0))
      QRT_RETURN_IF_ERROR(stores[slot]->write(range.first, range.tokens, chunk.values[slot]));
  return Status::ok();
}

Status SweepRun::runChunks(Segment &segment, llvm::function_ref<Status(const Rows &)> show) {
  Chunk chunk{pool, workspace, pages, ropes};
  chunk.values.resize(plan.widths.size());
  for (const ChunkRange &range : chunks) {
    if (options.interrupted && options.interrupted->load())
      return Status::error(qrt::StatusCode::Interrupted, "interrupted during calibration");
    QRT_RETURN_IF_ERROR(runChunk(segment, range, chunk));
    if (segment.shown >= 0) {
      Rows rows{chunk.values[segment.shown], range.first, range.tokens, plan.widths[segment.shown],
                table.weights.empty() ? nullptr : table.weights.data() + range.first};
      QRT_RETURN_IF_ERROR(show(rows));
    }
  }
  return Status::ok();
}

/// Frees what no step from `end` on reads.
void SweepRun::release(size_t end) {
  for (auto it = stores.begin(); it != stores.end();)
    it = plan.lastUse[it->first] < end ? stores.erase(it) : std::next(it);
}

/// Brings the twin to the group, and keeps what it has for input there.
Status SweepRun::runTwin(size_t index, bool shown) {
  SweepPlan::Group &group = twin->plan.groups[index];
  if (shown) {
    QRT_ASSIGN_OR_RETURN(twinInput,
                         ActivationStore::create(table.tokens(), group.linears.features, budget));
  }
  QRT_ASSIGN_OR_RETURN(Segment segment, twin->prepare(twinAt, group.at, shown ? group.input : -1));
  QRT_RETURN_IF_ERROR(twin->runChunks(segment, [&](const Rows &rows) -> Status {
    if (float *memory = twinInput->rows(rows.first)) {
      std::copy_n(rows.data, rows.tokens * rows.width, memory);
      return Status::ok();
    }
    return twinInput->write(rows.first, rows.tokens, rows.data);
  }));
  twinAt = group.at;
  twin->release(group.at);
  return Status::ok();
}

qrt::Result<const float *> SweepRun::twinRows(const Rows &rows) {
  if (float *memory = twinInput->rows(rows.first))
    return memory;
  twinChunk.resize(rows.tokens * rows.width);
  QRT_RETURN_IF_ERROR(twinInput->read(rows.first, rows.tokens, twinChunk.data()));
  return twinChunk.data();
}

Status SweepRun::runGroup(size_t index, size_t begin) {
  SweepPlan::Group &group = plan.groups[index];
  group.linears.products = options.products.get();
  QRT_ASSIGN_OR_RETURN(bool shown, visitor.begin(group.linears, pool));
  if (twin)
    QRT_RETURN_IF_ERROR(runTwin(index, shown));
  {
    QRT_ASSIGN_OR_RETURN(Segment segment, prepare(begin, group.at, shown ? group.input : -1));
    QRT_RETURN_IF_ERROR(runChunks(segment, [&](Rows rows) -> Status {
      if (twin) {
        QRT_ASSIGN_OR_RETURN(rows.floatData, twinRows(rows));
      }
      return visitor.observe(group.linears, rows, pool);
    }));
  } // lets go of the segment's weights
  twinInput.reset();
  QRT_RETURN_IF_ERROR(visitor.finish(group.linears, pool));
  for (size_t i = 0; i < group.steps.size(); ++i)
    if (Operation *replacement = group.linears.replacements[i])
      plan.steps[group.steps[i]].op = replacement;
  release(group.at);
  return Status::ok();
}

Status SweepRun::run() {
  size_t begin = 0;
  for (size_t index = 0; index < plan.groups.size(); ++index) {
    QRT_RETURN_IF_ERROR(runGroup(index, begin));
    begin = plan.groups[index].at;
  }
  if (plan.result < 0)
    return Status::ok();
  QRT_ASSIGN_OR_RETURN(Segment segment, prepare(begin, plan.steps.size(), plan.result));
  return runChunks(segment, [&](const Rows &rows) { return visitor.result(rows); });
}

Status runSweep(func::FuncOp function, const TokenTable &tokens, const SweepOptions &options,
                SweepVisitor &visitor) {
  if (tokens.ids.empty() || tokens.sequences.empty())
    return qrt::invalidArgument("calibration needs at least one token");
  QRT_ASSIGN_OR_RETURN(SweepPlan plan, SweepPlan::make(function, visitor));
  SweepRun run(std::move(plan), tokens, options, visitor);
  TwinVisitor twinVisitor(visitor);
  if (func::FuncOp copy = options.floatFunction) {
    QRT_ASSIGN_OR_RETURN(SweepPlan twin, SweepPlan::make(copy, twinVisitor));
    if (twin.groups.size() != run.groups())
      return qrt::internalError("the float function has other groups than the function");
    run.setTwin(std::make_unique<SweepRun>(std::move(twin), tokens, options, twinVisitor));
  }
  return run.run();
}

} // namespace qopt::calibration
