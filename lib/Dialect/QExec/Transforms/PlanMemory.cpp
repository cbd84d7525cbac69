//===- PlanMemory.cpp - Offsets of buffers in the arena --------------------------------------===//
// Instructions run in program order, so a buffer lives from its definition to its last use and the
// problem is interval colouring with sizes. Best fit in program order: the smallest gap that holds
// the buffer, else the end. An op that works in place takes over the buffer of a dying operand, as
// rule R26 of docs/qmod-format.md allows.
#include "qopt/Dialect/QExec/Transforms/Passes.h"

#include "mlir/IR/Remarks.h"

#include <map>

namespace qopt::qexec {
#define GEN_PASS_DEF_PLANMEMORY
#include "qopt/Dialect/QExec/Transforms/Passes.h.inc"
} // namespace qopt::qexec

using namespace mlir;
using namespace qopt::qexec;

namespace {

constexpr int64_t alignment = 16; // floats: one cache line

int64_t paddedWidth(Value buffer) {
  return llvm::alignTo(cast<BufferType>(buffer.getType()).getWidth(), alignment);
}

/// The gaps and blocks of the arena at one moment.
class Arena {
public:
  int64_t place(Value buffer) {
    const int64_t size = paddedWidth(buffer);
    int64_t best = -1, bestGap = 0, end = 0;
    for (auto [offset, other] : live) {
      int64_t gap = offset - end;
      if (gap >= size && (best < 0 || gap < bestGap))
        best = end, bestGap = gap;
      end = offset + paddedWidth(other);
    }
    return put(buffer, best < 0 ? end : best);
  }
  int64_t takeOver(Value dying, Value buffer, int64_t offset) {
    live.erase(offset);
    return put(buffer, offset);
  }
  void retire(int64_t offset) { live.erase(offset); }
  int64_t size() const { return high; }

private:
  int64_t put(Value buffer, int64_t offset) {
    live[offset] = buffer;
    high = std::max(high, offset + paddedWidth(buffer));
    return offset;
  }
  std::map<int64_t, Value> live;
  int64_t high = 0;
};

bool isBuffer(Value value) { return isa<BufferType>(value.getType()); }

struct PlanMemoryPass : qopt::qexec::impl::PlanMemoryBase<PlanMemoryPass> {
  using Base::Base;

  void runOnOperation() override {
    func::FuncOp function = getOperation();
    auto kind = function->getAttrOfType<StringAttr>(kindAttr);
    if (!kind || kind.getValue() != "token_major")
      return;
    Arena arena;
    DenseMap<Value, int64_t> offsets;
    DenseMap<Value, Operation *> lastUse = findLastUses(function);
    int64_t liveNow = 0, liveMost = 0;
    for (Operation &op : function.getBody().front()) {
      for (Value result : llvm::make_filter_range(op.getResults(), isBuffer)) {
        Value host = findDyingOperand(op, result, lastUse);
        offsets[result] = host ? arena.takeOver(host, result, offsets[host]) : arena.place(result);
        op.setAttr("arena", Builder(&op).getI64IntegerAttr(offsets[result]));
        liveNow += paddedWidth(result);
        liveMost = std::max(liveMost, liveNow - (host ? paddedWidth(host) : 0));
        if (host)
          taken.insert(host);
      }
      retireDead(op, lastUse, offsets, arena, liveNow);
    }
    taken.clear();
    function->setAttr(arenaAttr, Builder(function).getI64IntegerAttr(arena.size()));
    remark::analysis(
        function.getLoc(),
        remark::RemarkOpts::name("arena").category("plan-memory").function(function.getName()))
        << remark::metric("floats_per_token", arena.size())
        << remark::metric("lower_bound", liveMost);
  }

  /// The op after which a buffer is not needed; its own definition if it has no use.
  static DenseMap<Value, Operation *> findLastUses(func::FuncOp function) {
    DenseMap<Value, Operation *> lastUse;
    for (Operation &op : function.getBody().front()) {
      for (Value operand : llvm::make_filter_range(op.getOperands(), isBuffer))
        lastUse[operand] = &op;
      for (Value result : llvm::make_filter_range(op.getResults(), isBuffer))
        lastUse[result] = &op;
    }
    return lastUse;
  }

  static Value findDyingOperand(Operation &op, Value result,
                                const DenseMap<Value, Operation *> &lastUse) {
    if (!op.hasTrait<WorksInPlace>())
      return {};
    for (Value operand : op.getOperands())
      if (isBuffer(operand) && operand.getType() == result.getType() &&
          lastUse.lookup(operand) == &op)
        return operand;
    return {};
  }

  void retireDead(Operation &op, const DenseMap<Value, Operation *> &lastUse,
                  DenseMap<Value, int64_t> &offsets, Arena &arena, int64_t &liveNow) {
    SmallPtrSet<Value, 4> seen;
    auto retire = [&](Value value) {
      if (!isBuffer(value) || lastUse.lookup(value) != &op || !seen.insert(value).second)
        return;
      liveNow -= paddedWidth(value);
      if (!taken.contains(value))
        arena.retire(offsets[value]);
    };
    llvm::for_each(op.getOperands(), retire);
    llvm::for_each(op.getResults(), retire);
  }

  SmallPtrSet<Value, 8> taken; // buffers whose place another one has taken over
};
} // namespace
