//===- Cost.cpp - What one token of a model costs ---------------------------------------------===//
#include "Bench/Cost.h"

#include "Format/AlternateSet.h"
#include "Format/SparseOutliers.h"

#include <set>

namespace qrt::bench {

double Cost::bitsPerWeight() const {
  return weights > 0 ? 8.0 * static_cast<double>(weightBytes) / static_cast<double>(weights) : 0;
}

static int64_t bytesOf(const TensorEntry &tensor) {
  return static_cast<int64_t>(tensor.dataBytes + tensor.scalesBytes + tensor.zeroPointsBytes);
}

static void addOperations(Cost::Operations &sum, const TensorEntry &tensor, std::string_view word,
                          kernels::Isa isa) {
  const double operations = 2.0 * static_cast<double>(tensor.shape[0] * tensor.shape[1]);
  const bool coded = kernels::isQuantized(tensor.weight.format);
  if (coded && word == "a8")
    sum.int8 += operations;
  else if (coded && word == "a16" && isa >= kernels::Isa::Avx512Vnni)
    sum.int8 += 2 * operations;
  else if (tensor.weight.format == kernels::WeightFormat::BF16 && word == "a16" &&
           isa == kernels::Isa::Avx512Bf16)
    sum.bf16 += operations;
  else
    sum.f32 += operations;
}

static void addParts(std::vector<Bytes> &parts, const Model &model, int32_t index) {
  const TensorEntry &tensor = model.program().tensors[size_t(index)];
  const kernels::WeightView view = model.weight(index);
  auto add = [&](const void *data, uint64_t size) {
    if (data && size > 0)
      parts.emplace_back(static_cast<const uint8_t *>(data), size);
  };
  add(view.data, tensor.dataBytes);
  add(view.scales, tensor.scalesBytes);
  add(view.zeroPoints, tensor.zeroPointsBytes);
}

Cost costOf(const Model &model, kernels::Isa isa) {
  const Program &program = model.program();
  Cost cost;
  const AlternateSet second = alternateSet(program); // not read by what is measured
  for (size_t i = 0; i < program.tensors.size(); ++i)
    if (const TensorEntry &tensor = program.tensors[i]; tensor.packed && !second.onlyHere[i]) {
      cost.weights += tensor.shape[0] * tensor.shape[1];
      cost.weightBytes += bytesOf(tensor);
    }
  cost.weightBytes += countOutliers(program).bytes;
  bool selected = false;
  std::set<int32_t> counted;
  for (const Instruction &instruction : program.instructions) {
    selected |= instruction.op == OpCode::SelectRows;
    if (instruction.op == OpCode::Embed) {
      const int32_t index = program.values[size_t(instruction.inputs[0])].tensorIndex;
      const TensorEntry &table = program.tensors[size_t(index)];
      cost.tokenBytes += bytesOf(table) / std::max<int64_t>(table.shape[0], 1);
    }
    if (instruction.op != OpCode::Linear)
      continue;
    const int32_t index = program.values[size_t(instruction.inputs[1])].tensorIndex;
    const TensorEntry &tensor = program.tensors[size_t(index)];
    cost.stepBytes += bytesOf(tensor);
    if (counted.insert(index).second)
      addParts(cost.read, model, index);
    addOperations(selected ? cost.perSelected : cost.perToken, tensor,
                  instruction.getString("activation", "f32"), isa);
    if (auto outliers = outlierTensors(program, instruction)) {
      for (int32_t part : {outliers->rows, outliers->columns, outliers->values}) {
        const std::span<const uint8_t> bytes = model.plainData(part);
        cost.stepBytes += static_cast<int64_t>(bytes.size());
        if (counted.insert(part).second)
          cost.read.emplace_back(bytes.data(), bytes.size());
      }
      (selected ? cost.perSelected : cost.perToken).f32 +=
          2.0 * static_cast<double>(program.tensors[size_t(outliers->values)].shape[0]);
    }
  }
  for (const CacheSpec &cache : program.caches)
    cost.kvElements += cache.kvHeads * (cache.headDim + cache.valueDim);
  return cost;
}

} // namespace qrt::bench
