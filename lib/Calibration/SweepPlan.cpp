//===- SweepPlan.cpp - Which op of a function runs when, and what it reads -------------------===//
#include "SweepPlan.h"

#include "ForwardOps.h"

using namespace mlir;

namespace qopt::calibration {

namespace {

class PlanBuilder {
public:
  PlanBuilder(func::FuncOp function, SweepVisitor &visitor)
      : function(function), block(function.getBody().front()), visitor(visitor) {}

  qrt::Result<SweepPlan> build();

private:
  qrt::Status numberArguments();
  qrt::Status findGroups();
  void markNeeded(Value value);
  qrt::Status addStep(Operation &op);
  int newSlot(int64_t width, size_t step);

  func::FuncOp function;
  Block &block;
  SweepVisitor &visitor;
  SweepPlan plan;
  llvm::DenseMap<Value, int> slots;
  llvm::DenseMap<Value, size_t> groupOf; // by input
  llvm::DenseSet<Operation *> needed;
  llvm::DenseMap<Operation *, size_t> visited; // linear -> group
};

} // namespace

qrt::Status PlanBuilder::numberArguments() {
  for (BlockArgument argument : block.getArguments()) {
    auto name = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(), qir::nameAttr);
    if (name && name.getValue() == "ids")
      slots[argument] = idsSlot;
    else if (name && name.getValue() == "positions")
      slots[argument] = positionsSlot;
    else
      return qrt::unsupported("calibration expects token-major arguments ids and positions, got '" +
                              (name ? name.str() : std::string("?")) + "'");
  }
  return qrt::Status::ok();
}

qrt::Status PlanBuilder::findGroups() {
  for (Operation &op : block) {
    auto linear = dyn_cast<qir::LinearOp>(op);
    if (!linear || !visitor.wants(linear))
      continue;
    auto type = dyn_cast<RankedTensorType>(linear.getW().getType());
    if (!type || !linear.getW().getDefiningOp<qir::ConstantOp>())
      return qrt::unsupported("calibration expects linears with constant weights");
    auto [it, inserted] = groupOf.try_emplace(linear.getX(), plan.groups.size());
    if (inserted) {
      plan.groups.emplace_back();
      plan.groups.back().linears.index = static_cast<int64_t>(it->second);
      plan.groups.back().linears.features = type.getDimSize(1);
    }
    LinearGroup &group = plan.groups[it->second].linears;
    group.linears.push_back(linear);
    group.replacements.push_back(nullptr);
    visited[&op] = it->second;
  }
  return qrt::Status::ok();
}

void PlanBuilder::markNeeded(Value value) {
  SmallVector<Value> worklist{value};
  while (!worklist.empty()) {
    Operation *op = worklist.pop_back_val().getDefiningOp();
    if (op && needed.insert(op).second)
      llvm::append_range(worklist, op->getOperands());
  }
}

int PlanBuilder::newSlot(int64_t width, size_t step) {
  plan.widths.push_back(width);
  plan.madeAt.push_back(step);
  plan.lastUse.push_back(step);
  return static_cast<int>(plan.widths.size()) - 1;
}

qrt::Status PlanBuilder::addStep(Operation &op) {
  if (isAlias(&op)) { // activations are f32, whatever the graph calls them
    auto it = slots.find(op.getOperand(0));
    slots[op.getResult(0)] = it == slots.end() ? int(constantSlot) : it->second;
    return qrt::Status::ok();
  }
  SweepPlan::Step step;
  step.op = &op;
  const size_t number = plan.steps.size();
  for (Value operand : op.getOperands()) {
    auto it = slots.find(operand);
    step.inputs.push_back(it == slots.end() ? int(constantSlot) : it->second);
    if (step.inputs.back() >= 0)
      plan.lastUse[step.inputs.back()] = number;
  }
  for (Value result : op.getResults()) {
    auto type = dyn_cast<RankedTensorType>(result.getType());
    if (!type || type.getRank() != 2 || type.isDynamicDim(1))
      return qrt::unsupported("calibration: '" + op.getName().getStringRef().str() +
                              "' has a result that is not [tokens, features]");
    slots[result] = newSlot(type.getDimSize(1), number);
    step.outputs.push_back(slots[result]);
  }
  if (auto it = visited.find(&op); it != visited.end()) {
    SweepPlan::Group &group = plan.groups[it->second];
    if (group.steps.empty())
      group.at = number;
    group.input = step.inputs[0];
    group.steps.push_back(number);
  }
  plan.steps.push_back(std::move(step));
  return qrt::Status::ok();
}

qrt::Result<SweepPlan> PlanBuilder::build() {
  QRT_RETURN_IF_ERROR(numberArguments());
  QRT_RETURN_IF_ERROR(findGroups());
  Operation *end = block.getTerminator();
  if (visitor.wantsResult() && end->getNumOperands() > 0)
    markNeeded(end->getOperand(0));
  for (SweepPlan::Group &group : plan.groups)
    for (qir::LinearOp linear : group.linears.linears) {
      markNeeded(linear.getX());
      needed.insert(linear); // a step, so that its output is there if it is wanted
    }
  for (Operation &op : block.without_terminator())
    if (!isa<qir::ConstantOp>(op) && needed.contains(&op))
      QRT_RETURN_IF_ERROR(addStep(op));
  for (SweepPlan::Group &group : plan.groups) {
    if (group.input < 0)
      return qrt::unsupported("calibration: a linear does not read an activation");
    plan.lastUse[group.input] = std::max(plan.lastUse[group.input], group.at);
  }
  if (visitor.wantsResult() && end->getNumOperands() > 0) {
    auto it = slots.find(end->getOperand(0));
    if (it == slots.end() || it->second < 0)
      return qrt::unsupported("calibration: the function returns no activation");
    plan.result = it->second;
    plan.lastUse[plan.result] = plan.steps.size();
  }
  return std::move(plan);
}

qrt::Result<SweepPlan> SweepPlan::make(func::FuncOp function, SweepVisitor &visitor) {
  if (!function->hasAttr(qir::tokenMajorAttr) || !function.getBody().hasOneBlock())
    return qrt::unsupported(
        "calibration needs a raised, token-major graph; this one runs op by op");
  return PlanBuilder(function, visitor).build();
}

qrt::Result<std::vector<LinearGroup>> linearGroups(func::FuncOp function, SweepVisitor &visitor) {
  QRT_ASSIGN_OR_RETURN(SweepPlan plan, SweepPlan::make(function, visitor));
  std::vector<LinearGroup> groups;
  for (SweepPlan::Group &group : plan.groups)
    groups.push_back(std::move(group.linears));
  return groups;
}

} // namespace qopt::calibration
