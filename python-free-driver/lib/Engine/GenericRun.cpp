//===- GenericRun.cpp - Executes the instructions of a generic program -----------------------===//
#include "Engine/GenericEngine.h"

#include "Engine/Binding.h"
#include "Engine/TensorBytes.h"
#include "Tensor/Evaluate.h"
#include "Tensor/Shapes.h"
#include "kernels/cpu/embedding/embedding.h"

#include <cstring>
#include <numeric>

namespace qrt {

static std::string describe(const Program &program, size_t index) {
  const Instruction &instruction = program.instructions[index];
  std::string op = instruction.op == OpCode::TensorOp ? std::string(instruction.getString("op"))
                                                      : opCodeName(instruction.op);
  return "instruction " + std::to_string(index) + " (" + op + ", '" + instruction.location + "')";
}

Status GenericEngine::prepare() {
  const Program &program = model->program();
  constants.resize(program.values.size());
  for (size_t i = 0; i < program.values.size(); ++i) {
    const Value &value = program.values[i];
    if (value.kind != ValueKind::Tensor || program.tensors[value.tensorIndex].packed)
      continue;
    const TensorEntry &entry = program.tensors[value.tensorIndex];
    constants[i].dtype = entry.dtype;
    constants[i].shape = entry.shape;
    // Borrowed from the mapped file, which the shared model keeps alive.
    const void *bytes = model->plainData(value.tensorIndex).data();
    constants[i].data = std::shared_ptr<const void>(model, bytes);
  }
  std::vector<size_t> lastUse(program.values.size(), 0);
  for (size_t i = 0; i < program.instructions.size(); ++i) {
    const Instruction &instruction = program.instructions[i];
    if (instruction.op == OpCode::TensorOp && !tensor::isKnownOp(instruction.getString("op")))
      return unsupported(model->path() + ": " + describe(program, i) +
                         ": an operator that this build does not know");
    for (const auto *list : {&instruction.inputs, &instruction.outputs})
      for (int32_t value : *list)
        if (value >= 0)
          lastUse[value] = i;
  }
  for (const IoDesc &output : program.outputs)
    lastUse[output.value] = program.instructions.size();
  dying.resize(program.instructions.size());
  for (size_t value = 0; value < lastUse.size(); ++value)
    if (lastUse[value] < dying.size() && program.values[value].kind == ValueKind::Dynamic)
      dying[lastUse[value]].push_back(int32_t(value));
  return Status::ok();
}

Status GenericEngine::run(std::vector<tensor::Tensor> &values, std::span<const int32_t> ids,
                          int64_t before, const std::vector<tensor::Tensor> &past) {
  values = constants; // shared bytes
  const auto size = int64_t(ids.size());
  std::vector<int64_t> numbers;
  for (const BoundInput &input : binding.inputs) {
    tensor::Tensor &value = values[size_t(input.value)];
    std::vector<int64_t> shape = {1, size};
    switch (input.role) {
    case InputRole::Ids:
      numbers.assign(ids.begin(), ids.end());
      break;
    case InputRole::AttentionMask:
      shape[1] = before + size;
      numbers.assign(size_t(before + size), 1);
      break;
    case InputRole::CachePosition:
      shape = {size};
      [[fallthrough]];
    case InputRole::PositionIds:
      numbers.resize(size_t(size));
      std::iota(numbers.begin(), numbers.end(), before);
      break;
    case InputRole::TokenTypeIds:
      numbers.assign(size_t(size), 0);
      break;
    case InputRole::WriteIndices:
    case InputRole::KvLength:
      shape = {1};
      numbers.assign(1, input.role == InputRole::KvLength ? before + size : before);
      break;
    case InputRole::Past:
      if (!past.empty()) {
        value = past[input.pastIndex];
      } else {
        FreshTensor fresh = freshTensor(input.dtype, input.emptyShape);
        // What no token was written to is masked, but NaN times zero would still be NaN.
        std::memset(fresh.data, 0, size_t(byteSize(fresh.tensor)));
        value = fresh.tensor;
      }
      continue;
    }
    QRT_ASSIGN_OR_RETURN(value, integerTensor(input.dtype, shape, numbers));
  }
  const Program &program = model->program();
  for (size_t i = 0; i < program.instructions.size(); ++i) {
    if (Status status = execute(i, values); !status)
      return status.withContext(describe(program, i));
    for (int32_t value : dying[i])
      values[value] = tensor::Tensor();
  }
  return Status::ok();
}

Status GenericEngine::execute(size_t index, std::vector<tensor::Tensor> &values) {
  const Instruction &instruction = model->program().instructions[index];
  if (instruction.op == OpCode::Linear)
    return executeLinear(instruction, values);
  if (instruction.op == OpCode::Embed)
    return executeEmbed(instruction, values);
  tensor::OpCall call;
  for (const Attr &attr : instruction.attrs) {
    if (attr.name == "op")
      call.name = std::get<std::string>(attr.value);
    else
      call.attrs[attr.name] = attr.value;
  }
  std::vector<const tensor::Tensor *> operands;
  for (int32_t value : instruction.inputs)
    operands.push_back(value < 0 ? nullptr : &values[value]);
  QRT_ASSIGN_OR_RETURN(std::vector<tensor::Tensor> results, tensor::evaluate(call, operands));
  if (results.size() < instruction.outputs.size())
    return invalidModel(std::to_string(instruction.outputs.size()) + " results are asked for, " +
                        std::to_string(results.size()) + " are given");
  for (size_t i = 0; i < instruction.outputs.size(); ++i) {
    if (!results[i].data)
      return internalError("a result without data");
    values[instruction.outputs[i]] = std::move(results[i]);
  }
  return Status::ok();
}

Status GenericEngine::executeLinear(const Instruction &instruction,
                                    std::vector<tensor::Tensor> &values) {
  const Program &program = model->program();
  kernels::LinearArgs args;
  args.weight = model->weight(program.values[instruction.inputs[1]].tensorIndex);
  const tensor::Tensor &x = values[instruction.inputs[0]];
  if (x.shape.empty() || x.shape.back() != args.weight.desc.k || !isFloat(x.dtype))
    return invalidModel("operand of shape " + tensor::shapeText(x.shape) + " for a weight of " +
                        std::to_string(args.weight.desc.k) + " columns");
  QRT_ASSIGN_OR_RETURN(tensor::Tensor wide, toF32(x));
  std::vector<int64_t> shape = x.shape;
  shape.back() = args.weight.desc.n;
  args.m = elementCount(x) / args.weight.desc.k;
  QRT_RETURN_IF_ERROR(budget.check(args.m * args.weight.desc.n * 4, "result of a linear"));
  FreshTensor out = freshTensor(DType::F32, shape);
  args.src = static_cast<const float *>(wide.data.get());
  args.srcStride = args.weight.desc.k;
  args.dst = static_cast<float *>(out.data);
  args.dstStride = args.weight.desc.n;
  if (instruction.inputs.size() > 2 && instruction.inputs[2] >= 0)
    args.bias = static_cast<const float *>(constants[instruction.inputs[2]].data.get());
  args.activation = activationFromWord(instruction.getString("activation", "f32"));
  const std::vector<float> scales = activationScales(instruction);
  args.activationScales = scales.empty() ? nullptr : scales.data();
  QRT_RETURN_IF_ERROR(kernels::linear(pool, args, workspace));
  QRT_RETURN_IF_ERROR(addOutliers(pool, args, model->outliers(instruction), workspace));
  QRT_ASSIGN_OR_RETURN(values[instruction.outputs[0]], convertTensor(out.tensor, x.dtype));
  return Status::ok();
}

Status GenericEngine::executeEmbed(const Instruction &instruction,
                                   std::vector<tensor::Tensor> &values) {
  const Program &program = model->program();
  kernels::WeightView table = model->weight(program.values[instruction.inputs[0]].tensorIndex);
  QRT_ASSIGN_OR_RETURN(tensor::Tensor ids,
                       convertTensor(values[instruction.inputs[1]], DType::I32));
  const int64_t count = elementCount(ids);
  std::vector<int64_t> shape = ids.shape;
  shape.push_back(table.desc.k);
  QRT_RETURN_IF_ERROR(budget.check(count * table.desc.k * 4, "result of an embedding"));
  FreshTensor out = freshTensor(DType::F32, shape);
  QRT_RETURN_IF_ERROR(kernels::embeddingGather(
      pool, table, static_cast<const int32_t *>(ids.data.get()), count,
      instruction.getInt("offset"), static_cast<float *>(out.data), table.desc.k));
  DType dtype = program.values[instruction.outputs[0]].dtype;
  QRT_ASSIGN_OR_RETURN(values[instruction.outputs[0]],
                       convertTensor(out.tensor, isFloat(dtype) ? dtype : DType::F32));
  return Status::ok();
}

} // namespace qrt
