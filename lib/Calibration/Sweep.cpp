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
    budget.free = options.maxActivationBytes;
    budget.directory = options.spillDirectory;
  }

  Status run();

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
  Status runGroup(SweepPlan::Group &group, size_t begin);
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
};

} // namespace

Status SweepRun::bindOps(Segment &segment) {
  std::map<std::string, int> problems;
  for (size_t i = segment.begin; i < segment.end; ++i) {
    const SweepPlan::Step &step = plan.steps[i];
    std::string why;
    BoundOp op = bindOp(step.op, {step.inputs, step.outputs, plan.widths}, why);
    if (!op)
      ++problems[step.op->getName().getStringRef().str() + ": " + why];
    segment.ops.push_back(std::move(op));
  }
  if (problems.empty())
    return Status::ok();
  std::string text = "calibration has no kernel for:";
  for (const auto &[problem, count] : problems)
    text += " " + problem + " (" + std::to_string(count) + " times);";
  text.pop_back();
  return qrt::unsupported(text);
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

Status SweepRun::runGroup(SweepPlan::Group &group, size_t begin) {
  QRT_ASSIGN_OR_RETURN(bool shown, visitor.begin(group.linears, pool));
  {
    QRT_ASSIGN_OR_RETURN(Segment segment, prepare(begin, group.at, shown ? group.input : -1));
    QRT_RETURN_IF_ERROR(runChunks(
        segment, [&](const Rows &rows) { return visitor.observe(group.linears, rows, pool); }));
  } // lets go of the segment's weights
  QRT_RETURN_IF_ERROR(visitor.finish(group.linears, pool));
  for (size_t i = 0; i < group.steps.size(); ++i)
    if (Operation *replacement = group.linears.replacements[i])
      plan.steps[group.steps[i]].op = replacement;
  release(group.at);
  return Status::ok();
}

Status SweepRun::run() {
  size_t begin = 0;
  for (SweepPlan::Group &group : plan.groups) {
    QRT_RETURN_IF_ERROR(runGroup(group, begin));
    begin = group.at;
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
  return SweepRun(std::move(plan), tokens, options, visitor).run();
}

} // namespace qopt::calibration
