//===- Model.cpp - Loads and verifies a .qmod file -------------------------------------------===//
#include "qrt/Model.h"

#include "Format/Container.h"
#include "Format/ProgramEncoding.h"
#include "Format/SparseOutliers.h"
#include "Format/Verifier.h"
#include "Support/CheckedMath.h"
#include "kernels/cuda/layout/StoredWeights.h"
#include "qrt/Half.h"

#include <cstring>
#include <vector>

namespace qrt {

Result<std::shared_ptr<const Model>> Model::load(const std::string &path,
                                                 const LoadOptions &options) {
  QRT_ASSIGN_OR_RETURN(MappedFile file, MappedFile::open(path));
  std::shared_ptr<Model> model(new Model());
  model->filePath = path;
  model->file = std::move(file);
  model->bytes = model->file.bytes();
  return parse(std::move(model), options);
}

Result<std::shared_ptr<const Model>> Model::fromMemory(std::span<const uint8_t> bytes,
                                                       const std::string &name,
                                                       const LoadOptions &options) {
  if (reinterpret_cast<uintptr_t>(bytes.data()) % tensorAlignment != 0)
    return invalidArgument(name + ": a model in memory must be aligned to 64 bytes");
  std::shared_ptr<Model> model(new Model());
  model->filePath = name;
  model->bytes = bytes;
  return parse(std::move(model), options);
}

static Result<Program>
parseSections(std::span<const uint8_t> bytes, const LoadOptions &options,
              std::vector<std::pair<SectionKind, std::span<const uint8_t>>> &sections,
              std::span<const uint8_t> &weights) {
  QRT_ASSIGN_OR_RETURN(std::vector<SectionEntry> table, readSectionTable(bytes));
  std::span<const uint8_t> programBytes;
  for (const SectionEntry &entry : table) {
    auto kind = static_cast<SectionKind>(entry.kind);
    // The weights are read only when asked for: they are the one section of gigabytes.
    if (kind != SectionKind::Weights || options.verifyChecksums)
      QRT_RETURN_IF_ERROR(verifyChecksum(bytes, entry));
    std::span<const uint8_t> content = bytes.subspan(entry.offset, entry.length);
    if (kind == SectionKind::Program)
      programBytes = content;
    if (kind == SectionKind::Weights)
      weights = content;
    sections.emplace_back(kind, content);
  }
  QRT_ASSIGN_OR_RETURN(Program program, decodeProgram(programBytes));
  QRT_RETURN_IF_ERROR(verifyProgram(program, weights.size()));
  QRT_RETURN_IF_ERROR(verifyOutlierIndices(program, weights));
  return program;
}

Result<std::shared_ptr<const Model>> Model::parse(std::shared_ptr<Model> model,
                                                  const LoadOptions &options) {
  auto program = parseSections(model->bytes, options, model->sections, model->weights);
  if (!program)
    return program.status().withContext(model->filePath);
  model->prog = program.takeValue();
  return std::shared_ptr<const Model>(std::move(model));
}

std::string_view Model::section(SectionKind kind) const {
  for (const auto &[candidate, content] : sections)
    if (candidate == kind)
      return {reinterpret_cast<const char *>(content.data()), content.size()};
  return {};
}

kernels::WeightView Model::weight(int32_t tensorIndex) const {
  const TensorEntry &tensor = prog.tensors[tensorIndex];
  kernels::WeightView view;
  view.desc = tensor.weight;
  view.data = weights.data() + tensor.dataOffset;
  if (tensor.scalesBytes > 0)
    view.scales = weights.data() + tensor.scalesOffset;
  if (tensor.zeroPointsBytes > 0)
    view.zeroPoints = weights.data() + tensor.zeroPointsOffset;
  return view;
}

kernels::SparseMatrix Model::outliers(const Instruction &linear) const {
  return outlierMatrix(prog, linear, weights);
}

std::span<const uint8_t> Model::plainData(int32_t tensorIndex) const {
  const TensorEntry &tensor = prog.tensors[tensorIndex];
  return weights.subspan(tensor.dataOffset, tensor.dataBytes);
}

template <class T>
static void widen(std::span<const uint8_t> from, float *out) {
  for (size_t i = 0; i < from.size() / sizeof(T); ++i) {
    T value;
    std::memcpy(&value, from.data() + i * sizeof(T), sizeof(T));
    out[i] = static_cast<float>(value);
  }
}

static void widenHalf(std::span<const uint8_t> from, float *out, float (*convert)(uint16_t)) {
  for (size_t i = 0; i < from.size() / 2; ++i) {
    uint16_t value;
    std::memcpy(&value, from.data() + i * 2, 2);
    out[i] = convert(value);
  }
}

Status Model::dequantizeTensor(int32_t tensorIndex, float *out) const {
  if (tensorIndex < 0 || size_t(tensorIndex) >= prog.tensors.size())
    return invalidArgument("no tensor " + std::to_string(tensorIndex));
  const TensorEntry &tensor = prog.tensors[tensorIndex];
  if (tensor.packed) {
    kernels::WeightView view = weight(tensorIndex);
    std::vector<uint8_t> forCpu;
    if (tensor.fragments) {
      QRT_ASSIGN_OR_RETURN(const kernels::PackedSizes sizes, kernels::packedSizes(view.desc));
      forCpu.resize(sizes.data);
      cuda::loadFromFragments(view.desc, view.data, forCpu.data());
      view.data = forCpu.data();
    }
    for (int64_t row = 0; row < view.desc.n; ++row)
      kernels::dequantizeRow(view, row, out + row * view.desc.k);
    return Status::ok();
  }
  std::span<const uint8_t> data = plainData(tensorIndex);
  switch (tensor.dtype) {
  case DType::F32:
    if (!data.empty())
      std::memcpy(out, data.data(), data.size());
    break;
  case DType::F16:
    widenHalf(data, out, f16ToF32);
    break;
  case DType::BF16:
    widenHalf(data, out, bf16ToF32);
    break;
  case DType::F64:
    widen<double>(data, out);
    break;
  case DType::I8:
  case DType::I4:
  case DType::I2:
    widen<int8_t>(data, out);
    break;
  case DType::U8:
  case DType::U4:
  case DType::U2:
  case DType::Bool:
    widen<uint8_t>(data, out);
    break;
  case DType::I16:
    widen<int16_t>(data, out);
    break;
  case DType::U16:
    widen<uint16_t>(data, out);
    break;
  case DType::I32:
    widen<int32_t>(data, out);
    break;
  case DType::U32:
    widen<uint32_t>(data, out);
    break;
  case DType::I64:
    widen<int64_t>(data, out);
    break;
  case DType::U64:
    widen<uint64_t>(data, out);
    break;
  }
  return Status::ok();
}

} // namespace qrt
