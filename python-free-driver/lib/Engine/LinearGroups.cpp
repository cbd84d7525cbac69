//===- LinearGroups.cpp - Linears that run as one --------------------------------------------===//
#include "Engine/LinearGroups.h"

#include "Format/AlternateSet.h"
#include "Format/Verifier.h"

#include <algorithm>

namespace qrt {
namespace {

class Grouping {
public:
  explicit Grouping(const Program &program)
      : program(program), selected(selectedRowValues(program)) {}

  std::vector<size_t> run() const {
    std::vector<size_t> leaders(program.instructions.size());
    for (size_t i = 0; i < leaders.size(); ++i)
      leaders[i] = i;
    for (size_t i = 0; i < leaders.size(); ++i)
      if (leaders[i] == i && program.instructions[i].op == OpCode::Linear)
        collect(i, leaders);
    return leaders;
  }

private:
  /// Far enough for the norms and rotations between q, k and v.
  static constexpr size_t window = 16;

  void collect(size_t leader, std::vector<size_t> &leaders) const {
    const Instruction &first = program.instructions[leader];
    const int32_t input = first.inputs[0];
    const size_t last = std::min(leaders.size(), leader + window);
    int parts = 1;
    for (size_t i = leader + 1; i < last && parts < kernels::maxLinearParts; ++i) {
      const Instruction &next = program.instructions[i];
      if (next.op == OpCode::Linear && leaders[i] == i && next.inputs[0] == input &&
          alike(first, next) && mayRunAt(leader, i)) {
        leaders[i] = leader;
        ++parts;
      }
      if (overlap(next.outputs[0], input))
        return;
    }
  }

  /// Rows of linears with an alternate weight are computed apart, so those stay alone.
  bool alike(const Instruction &a, const Instruction &b) const {
    return a.getString("activation", "f32") == b.getString("activation", "f32") &&
           sameScales(a, b) && alternateTensor(program, a) < 0 && alternateTensor(program, b) < 0 &&
           kernels::groupable(weightOf(a), weightOf(b));
  }

  /// One rounding of the input serves all.
  static bool sameScales(const Instruction &a, const Instruction &b) {
    const AttrValue *x = a.find("activation_scales"), *y = b.find("activation_scales");
    return x && y ? *x == *y : x == y;
  }

  const kernels::WeightDesc &weightOf(const Instruction &linear) const {
    return program.tensors[size_t(program.values[size_t(linear.inputs[1])].tensorIndex)].weight;
  }

  bool mayRunAt(size_t leader, size_t i) const {
    const int32_t result = program.instructions[i].outputs[0];
    for (size_t j = leader; j < i; ++j) {
      const Instruction &between = program.instructions[j];
      for (const std::vector<int32_t> *values : {&between.inputs, &between.outputs})
        for (int32_t value : *values)
          if (value >= 0 && overlap(value, result))
            return false;
    }
    return true;
  }

  /// Whether two values share memory; rows of a value are consecutive, so intervals of one arena
  /// stay apart for any number of tokens if they do for one.
  bool overlap(int32_t a, int32_t b) const {
    const Value &x = program.values[size_t(a)], &y = program.values[size_t(b)];
    return x.kind == ValueKind::Buffer && y.kind == ValueKind::Buffer &&
           selected[size_t(a)] == selected[size_t(b)] && x.arenaOffset < y.arenaOffset + y.width &&
           y.arenaOffset < x.arenaOffset + x.width;
  }

  const Program &program;
  const std::vector<bool> selected;
};

} // namespace

std::vector<size_t> linearGroupLeaders(const Program &program) { return Grouping(program).run(); }

} // namespace qrt
