//===- CudaBind.cpp - Arguments of every instruction's launch --------------------------------===//
#include "Engine/CudaProgram.h"

#include "Engine/KernelWords.h"
#include "Format/AlternateSet.h"
#include "Format/SparseOutliers.h"

#include <algorithm>
#include <tuple>

namespace qrt {

const cuda::Weight &CudaProgram::weight(int32_t value) const {
  return weights.weight(program->values[value].tensorIndex);
}

const float *CudaProgram::vector(int32_t value) const {
  return weights.vector(program->values[value].tensorIndex);
}

int64_t CudaProgram::vectorLength(int32_t value) const {
  return int64_t(model->plainData(program->values[value].tensorIndex).size() / sizeof(float));
}

CudaProgram::Launcher CudaProgram::bindEmbed(const Instruction &instruction) {
  cuda::EmbedParams params;
  params.table = weight(instruction.inputs[0]);
  params.offset = instruction.getInt("offset");
  params.out = matrix(instruction.outputs[0]);
  const bool byPosition = program->values[instruction.inputs[1]].kind == ValueKind::Positions;
  return [=, this](const CudaRun &run) {
    cuda::EmbedParams call = params;
    call.index = byPosition ? run.step.positions : run.step.ids;
    call.rows = run.rows;
    return launch(device->table().launchEmbed, call, "Embed");
  };
}

cuda::LinearParams CudaProgram::linearParams(const Instruction &instruction, int32_t tensorIndex,
                                             DType type) const {
  cuda::LinearParams params;
  params.weight.desc = program->tensors[tensorIndex].weight;
  params.src.stride = place(instruction.inputs[0]).stride();
  params.src.type = type;
  params.dst.stride = place(instruction.outputs[0]).stride();
  return params;
}

CudaProgram::Launcher CudaProgram::bindProduct(cuda::LinearParams params, const CudaPlace &from,
                                               int32_t tensorIndex, DType type) {
  params.weight = weights.weight(tensorIndex);
  params.workspace = linearScratch;
  cuda::CopyParams convert;
  convert.src = matrix(from);
  convert.dst = {converted, from.stride(), type};
  convert.width = from.width;
  const bool converts = type != from.type;
  params.src = converts ? convert.dst : convert.src;
  return [=, this](const CudaRun &run) {
    if (converts) {
      cuda::CopyParams call = convert;
      call.rows = rowsOf(from, run);
      QRT_RETURN_IF_ERROR(launch(device->table().launchCopy, call, "Copy"));
    }
    cuda::LinearParams call = params;
    call.rows = rowsOf(from, run);
    return launch(device->table().launchLinear, call, "Linear");
  };
}

CudaProgram::Launcher CudaProgram::bindLinear(const Instruction &instruction,
                                              const Instruction *add) {
  const int32_t tensorIndex = program->values[instruction.inputs[1]].tensorIndex;
  const DType type = cudaProductType(*program, instruction);
  cuda::LinearParams params = linearParams(instruction, tensorIndex, type);
  if (instruction.inputs.size() > 2 && instruction.inputs[2] >= 0)
    params.bias = vector(instruction.inputs[2]);
  params.dst = matrix(instruction.outputs[0]);
  if (add) {
    const bool first = add->inputs[0] == instruction.outputs[0];
    params.add = matrix(add->inputs[first ? 1 : 0]);
    params.dst = matrix(add->outputs[0]);
  }
  const CudaPlace &from = place(instruction.inputs[0]);
  Launcher own = type == DType::I8
                     ? bindInt8(params, size_t(&instruction - program->instructions.data()))
                     : bindProduct(params, from, tensorIndex, type);
  if (outlierTensors(*program, instruction)) {
    const bool converts = type == DType::F16 || type == DType::BF16;
    const cuda::Matrix src =
        converts && type != from.type ? cuda::Matrix{converted, from.stride(), type} : matrix(from);
    own = [product = std::move(own),
           outliers = bindOutliers(instruction, src, params.dst)](const CudaRun &run) {
      QRT_RETURN_IF_ERROR(product(run));
      return outliers(run);
    };
  }
  const int32_t second = alternateTensor(*program, instruction);
  if (!limits.alternates || second < 0)
    return own;
  Launcher other = bindProduct(params, from, second, cudaAlternateType(*program, second));
  return [own = std::move(own), other = std::move(other)](const CudaRun &run) {
    return run.alternate ? other(run) : own(run);
  };
}

CudaProgram::Launcher CudaProgram::bindOutliers(const Instruction &instruction, cuda::Matrix src,
                                                cuda::Matrix dst) {
  const OutlierTensors tensors = *outlierTensors(*program, instruction);
  const CudaPlace from = place(instruction.inputs[0]);
  cuda::SparseAddParams params;
  params.src = src;
  params.dst = dst;
  params.rowStarts = static_cast<const int32_t *>(weights.plain(tensors.rows));
  params.columns = static_cast<const uint16_t *>(weights.plain(tensors.columns));
  params.values = static_cast<const uint16_t *>(weights.plain(tensors.values));
  params.n = place(instruction.outputs[0]).width;
  params.k = from.width;
  return [=, this](const CudaRun &run) {
    cuda::SparseAddParams call = params;
    call.rows = rowsOf(from, run);
    return launch(device->table().launchSparseAdd, call, "SparseAdd");
  };
}

CudaProgram::Launcher CudaProgram::bindNorm(const Instruction &instruction) {
  const CudaPlace from = place(instruction.inputs[0]);
  cuda::NormParams params;
  params.rms = instruction.op == OpCode::RmsNorm;
  params.src = matrix(from);
  params.dst = matrix(instruction.outputs[0]);
  params.weight = vector(instruction.inputs[1]);
  params.chunk = vectorLength(instruction.inputs[1]);
  if (instruction.inputs.size() > 2 && instruction.inputs[2] >= 0)
    params.bias = vector(instruction.inputs[2]);
  params.width = from.width;
  params.epsilon = static_cast<float>(instruction.getFloat("epsilon"));
  return [=, this](const CudaRun &run) {
    cuda::NormParams call = params;
    call.rows = rowsOf(from, run);
    return launch(device->table().launchNorm, call, "Norm");
  };
}

/// The number of the instruction's table of angles; a new one is added.
size_t CudaProgram::ropeTable(const Instruction &instruction) {
  RopeTable table = {program->values[instruction.inputs[2]].tensorIndex,
                     vectorLength(instruction.inputs[2]),
                     static_cast<float>(instruction.getFloat("scaling", 1.0))};
  for (size_t i = 0; i < ropeTables.size(); ++i)
    if (ropeTables[i].tensorIndex == table.tensorIndex && ropeTables[i].scaling == table.scaling)
      return i;
  ropeTables.push_back(table);
  return ropeTables.size() - 1;
}

CudaProgram::Launcher CudaProgram::bindRope(const Instruction &instruction) {
  const CudaPlace from = place(instruction.inputs[0]);
  const RopeTable &table = ropeTables[ropeTable(instruction)];
  cuda::RopeParams params;
  params.src = matrix(from);
  params.dst = matrix(instruction.outputs[0]);
  params.cos = table.cos;
  params.sin = table.sin;
  params.headDim = instruction.getInt("head_dim");
  params.heads = from.width / params.headDim;
  params.half = table.half;
  params.interleaved = instruction.getInt("interleaved") != 0;
  return [=, this](const CudaRun &run) {
    cuda::RopeParams call = params;
    call.rows = run.rows;
    return launch(device->table().launchRope, call, "Rope");
  };
}

cuda::KvPool CudaProgram::kvPool(const Instruction &instruction) const {
  const auto cache = size_t(instruction.getInt("cache"));
  cuda::KvPool pool;
  pool.base = kvBase;
  pool.blockBytes = blockBytes;
  std::tie(pool.keyOffset, pool.valueOffset) = kvOffsets[cache];
  pool.keyType = limits.kv.keys;
  pool.valueType = limits.kv.values;
  if (preciseBytes > 0) {
    pool.preciseBase = preciseBase;
    pool.preciseBytes = preciseBytes;
    std::tie(pool.preciseKeyOffset, pool.preciseValueOffset) = preciseOffsets[cache];
    pool.sink = int32_t(std::min(limits.kv.sink, limits.maxContext));
    pool.recent = int32_t(std::min(limits.kv.recent, limits.maxContext));
  }
  return pool;
}

cuda::AttentionParams CudaProgram::attentionParams(const Instruction &instruction) const {
  cuda::AttentionParams params;
  params.q.stride = place(instruction.inputs[0]).stride();
  params.dst.stride = place(instruction.outputs[0]).stride();
  params.dst.type = place(instruction.outputs[0]).type;
  params.kv = kvPool(instruction);
  params.heads = instruction.getInt("num_heads");
  params.kvHeads = instruction.getInt("kv_heads");
  params.headDim = instruction.getInt("head_dim");
  params.valueDim = instruction.getInt("value_dim");
  params.scale = static_cast<float>(instruction.getFloat("scale"));
  params.softcap = static_cast<float>(instruction.getFloat("softcap"));
  params.window = instruction.getInt("window");
  return params;
}

CudaProgram::Launcher CudaProgram::bindAttention(size_t index) {
  const Instruction &instruction = program->instructions[index];
  cuda::AttentionParams params = attentionParams(instruction);
  params.q = matrix(instruction.inputs[0]);
  params.dst = matrix(instruction.outputs[0]);
  params.workspace = attentionScratch;
  params.k = matrix(instruction.inputs[1]);
  params.v = matrix(instruction.inputs[2]);
  if (const Rotation &rotation = rotations[index]; rotation.query >= 0) {
    const Instruction &query = program->instructions[size_t(rotation.query)];
    const RopeTable &table = ropeTables[ropeTable(query)];
    params.q = matrix(query.inputs[0]);
    params.k = matrix(program->instructions[size_t(rotation.key)].inputs[0]);
    params.cos = table.cos;
    params.sin = table.sin;
    params.half = table.half;
    params.interleaved = query.getInt("interleaved") != 0;
  }
  // As on the CPU, only coded keys are balanced.
  const bool coded = params.kv.keyType == DType::I8 || params.kv.keyType == DType::I4;
  if (coded && instruction.inputs.size() > 3 && instruction.inputs[3] >= 0)
    params.balance = vector(instruction.inputs[3]);
  return [=, this](const CudaRun &run) {
    cuda::AttentionParams call = params;
    call.step = run.step;
    call.rows = run.rows;
    call.decode = run.decode;
    call.maxContext = run.maxContext;
    if (device->table().attentionWorkspaceBytes(device->launch(), call) > attentionWorkspace)
      return internalError("attention needs more workspace than was planned");
    return launch(device->table().launchAttention, call, "Attention");
  };
}

CudaProgram::Launcher CudaProgram::bindGated(const Instruction &instruction) {
  const CudaPlace to = place(instruction.outputs[0]);
  cuda::GatedParams params;
  params.kind = unaryKindFromWord(instruction.getString("kind"));
  params.gate = matrix(instruction.inputs[0]);
  params.up = matrix(instruction.inputs[1]);
  params.dst = matrix(to);
  params.width = to.width;
  return [=, this](const CudaRun &run) {
    cuda::GatedParams call = params;
    call.rows = rowsOf(to, run);
    return launch(device->table().launchGated, call, "Gated");
  };
}

CudaProgram::Launcher CudaProgram::bindUnary(const Instruction &instruction) {
  const CudaPlace to = place(instruction.outputs[0]);
  cuda::UnaryParams params;
  params.kind = unaryKindFromWord(instruction.getString("kind"));
  params.src = matrix(instruction.inputs[0]);
  params.dst = matrix(to);
  params.width = to.width;
  params.parameter = static_cast<float>(instruction.getFloat("cap"));
  return [=, this](const CudaRun &run) {
    cuda::UnaryParams call = params;
    call.rows = rowsOf(to, run);
    return launch(device->table().launchUnary, call, "Unary");
  };
}

CudaProgram::Launcher CudaProgram::bindBinary(const Instruction &instruction) {
  const CudaPlace to = place(instruction.outputs[0]);
  const int32_t second = instruction.inputs[1];
  cuda::BinaryParams params;
  params.kind = binaryKindFromWord(instruction.getString("kind"));
  params.swapped = instruction.getInt("swapped") != 0;
  params.lhs = matrix(instruction.inputs[0]);
  params.dst = matrix(to);
  params.width = to.width;
  if (program->values[second].kind == ValueKind::Buffer) {
    params.rhs = matrix(second);
  } else {
    params.rhs = {const_cast<float *>(vector(second)), 0, DType::F32};
    params.broadcast =
        vectorLength(second) == 1 ? kernels::Broadcast::Scalar : kernels::Broadcast::Row;
  }
  return [=, this](const CudaRun &run) {
    cuda::BinaryParams call = params;
    call.rows = rowsOf(to, run);
    return launch(device->table().launchBinary, call, "Binary");
  };
}

CudaProgram::Launcher CudaProgram::bindHadamard(const Instruction &instruction) {
  const CudaPlace to = place(instruction.outputs[0]);
  cuda::HadamardParams params;
  params.src = matrix(instruction.inputs[0]);
  params.dst = matrix(to);
  params.width = to.width;
  params.block = instruction.getInt("block");
  if (instruction.inputs.size() > 1 && instruction.inputs[1] >= 0) {
    params.base = vector(instruction.inputs[1]);
    params.baseOrder =
        program->tensors[program->values[instruction.inputs[1]].tensorIndex].shape[0];
  }
  return [=, this](const CudaRun &run) {
    cuda::HadamardParams call = params;
    call.rows = rowsOf(to, run);
    return launch(device->table().launchHadamard, call, "Hadamard");
  };
}

/// `matrix` from column `first` on.
static cuda::Matrix columns(cuda::Matrix matrix, int64_t first) {
  matrix.data = static_cast<char *>(matrix.data) + first * byteWidth(matrix.type);
  return matrix;
}

CudaProgram::Launcher CudaProgram::bindCopyColumns(const Instruction &instruction) {
  const CudaPlace to = place(instruction.outputs[0]);
  std::vector<cuda::CopyParams> pieces;
  int64_t at = 0;
  for (size_t i = 0; i < instruction.inputs.size(); ++i) {
    cuda::CopyParams piece;
    piece.src = columns(matrix(instruction.inputs[i]), (*instruction.getInts("starts"))[i]);
    piece.dst = columns(matrix(to), at);
    piece.width = (*instruction.getInts("sizes"))[i];
    at += piece.width;
    pieces.push_back(piece);
  }
  return [=, this](const CudaRun &run) {
    for (cuda::CopyParams call : pieces) {
      call.rows = rowsOf(to, run);
      QRT_RETURN_IF_ERROR(launch(device->table().launchCopy, call, "Copy"));
    }
    return Status::ok();
  };
}

CudaProgram::Launcher CudaProgram::bindSelectRows(const Instruction &instruction) {
  const CudaPlace to = place(instruction.outputs[0]);
  cuda::CopyParams params;
  params.src = matrix(instruction.inputs[0]);
  params.dst = matrix(to);
  params.width = to.width;
  return [=, this](const CudaRun &run) {
    cuda::CopyParams call = params;
    call.rowIndex = run.step.selectedRows;
    call.rows = run.selectedRows;
    return launch(device->table().launchCopy, call, "Copy");
  };
}

CudaProgram::Launcher CudaProgram::bind(size_t index) {
  const Instruction &instruction = program->instructions[index];
  switch (instruction.op) {
  case OpCode::Embed:
    return bindEmbed(instruction);
  case OpCode::Linear:
    return bindLinear(instruction, nullptr);
  case OpCode::RmsNorm:
  case OpCode::LayerNorm:
    return bindNorm(instruction);
  case OpCode::Rope:
    return bindRope(instruction);
  case OpCode::Attention:
    return bindAttention(index);
  case OpCode::GatedActivation:
    return bindGated(instruction);
  case OpCode::Unary:
    return bindUnary(instruction);
  case OpCode::Binary:
    return bindBinary(instruction);
  case OpCode::Hadamard:
    return bindHadamard(instruction);
  case OpCode::CopyColumns:
    return bindCopyColumns(instruction);
  case OpCode::SelectRows:
    return bindSelectRows(instruction);
  case OpCode::TensorOp:
    break;
  }
  return [](const CudaRun &) { return internalError("an instruction without a launch"); };
}

} // namespace qrt
