//===- EncodeProgram.cpp - Program structs to FlatBuffers ------------------------------------===//
#include "Format/ProgramEncoding.h"
#include "Format/qmod_generated.h"

#include <cmath>

namespace qrt {

namespace {

using Builder = flatbuffers::FlatBufferBuilder;
template <class T>
using Offset = flatbuffers::Offset<T>;

/// Encodes every item of a list with `one` and returns the vector of offsets.
template <class T, class Item, class One>
auto encodeAll(Builder &builder, const std::vector<Item> &items, One one) {
  std::vector<Offset<T>> offsets;
  offsets.reserve(items.size());
  for (const Item &item : items)
    offsets.push_back(one(item));
  return builder.CreateVector(offsets);
}

Offset<fbs::Tensor> encodeTensor(Builder &builder, const TensorEntry &tensor) {
  auto name = builder.CreateString(tensor.name);
  auto sources = encodeAll<fbs::SourceName>(builder, tensor.sources, [&](const SourceName &s) {
    return fbs::CreateSourceName(builder, builder.CreateString(s.name), s.transposed);
  });
  auto shape = builder.CreateVector(tensor.shape);
  auto scheme = builder.CreateString(tensor.scheme);
  fbs::TensorBuilder out(builder);
  out.add_name(name);
  out.add_sources(sources);
  out.add_shape(shape);
  out.add_packed(tensor.packed);
  if (tensor.packed) {
    out.add_format(static_cast<uint8_t>(tensor.weight.format));
    out.add_group_size(tensor.weight.groupSize);
    out.add_symmetric(tensor.weight.symmetric);
    out.add_scale_type(static_cast<uint8_t>(tensor.weight.scaleType));
    out.add_fragments(tensor.fragments);
  } else {
    out.add_dtype(static_cast<uint8_t>(tensor.dtype));
  }
  out.add_data_offset(tensor.dataOffset);
  out.add_data_bytes(tensor.dataBytes);
  out.add_scales_offset(tensor.scalesOffset);
  out.add_scales_bytes(tensor.scalesBytes);
  out.add_zero_points_offset(tensor.zeroPointsOffset);
  out.add_zero_points_bytes(tensor.zeroPointsBytes);
  out.add_scheme(scheme);
  if (!std::isnan(tensor.rmsError)) {
    out.add_has_rms_error(true);
    out.add_rms_error(tensor.rmsError);
  }
  return out.Finish();
}

Offset<fbs::Attr> encodeAttr(Builder &builder, const Attr &attr) {
  auto name = builder.CreateString(attr.name);
  Offset<flatbuffers::String> text;
  Offset<flatbuffers::Vector<int64_t>> ints;
  Offset<flatbuffers::Vector<double>> floats;
  if (auto *s = std::get_if<std::string>(&attr.value))
    text = builder.CreateString(*s);
  if (auto *list = std::get_if<std::vector<int64_t>>(&attr.value))
    ints = builder.CreateVector(*list);
  if (auto *list = std::get_if<std::vector<double>>(&attr.value))
    floats = builder.CreateVector(*list);
  auto *i = std::get_if<int64_t>(&attr.value);
  auto *f = std::get_if<double>(&attr.value);
  return fbs::CreateAttr(builder, name, static_cast<uint8_t>(attr.value.index()), i ? *i : 0,
                         f ? *f : 0.0, text, ints, floats);
}

Offset<fbs::Instruction> encodeInstruction(Builder &builder, const Instruction &instruction) {
  auto inputs = builder.CreateVector(instruction.inputs);
  auto outputs = builder.CreateVector(instruction.outputs);
  auto attrs = encodeAll<fbs::Attr>(builder, instruction.attrs,
                                    [&](const Attr &attr) { return encodeAttr(builder, attr); });
  auto location = builder.CreateString(instruction.location);
  return fbs::CreateInstruction(builder, static_cast<uint8_t>(instruction.op), inputs, outputs,
                                attrs, location);
}

Offset<fbs::Io> encodeIo(Builder &builder, const IoDesc &io) {
  auto name = builder.CreateString(io.name);
  auto dims = builder.CreateVectorOfStrings(io.dims);
  return fbs::CreateIo(builder, name, io.value, static_cast<uint8_t>(io.dtype), dims);
}

} // namespace

Result<std::vector<uint8_t>> encodeProgram(const Program &program) {
  for (size_t count : {program.tensors.size(), program.values.size(), program.instructions.size(),
                       program.inputs.size(), program.outputs.size(), program.caches.size()})
    if (count > maxProgramItems)
      return unsupported("a program of " + std::to_string(count) +
                         " items of one kind; the format allows " +
                         std::to_string(maxProgramItems));
  Builder builder(1 << 16);
  auto tensors = encodeAll<fbs::Tensor>(
      builder, program.tensors, [&](const TensorEntry &t) { return encodeTensor(builder, t); });
  auto values = encodeAll<fbs::Value>(builder, program.values, [&](const Value &v) {
    return fbs::CreateValue(builder, static_cast<uint8_t>(v.kind), v.width,
                            static_cast<uint8_t>(v.dtype), v.tensorIndex, v.arenaOffset);
  });
  auto instructions =
      encodeAll<fbs::Instruction>(builder, program.instructions, [&](const Instruction &i) {
        return encodeInstruction(builder, i);
      });
  auto io = [&](const IoDesc &desc) { return encodeIo(builder, desc); };
  auto inputs = encodeAll<fbs::Io>(builder, program.inputs, io);
  auto outputs = encodeAll<fbs::Io>(builder, program.outputs, io);
  auto caches = encodeAll<fbs::Cache>(builder, program.caches, [&](const CacheSpec &c) {
    return fbs::CreateCache(builder, c.kvHeads, c.headDim, c.valueDim, c.window);
  });
  auto root = fbs::CreateProgram(
      builder, static_cast<uint8_t>(program.kind), tensors, values, instructions, inputs, outputs,
      caches, program.vocabSize, program.arenaFloatsPerToken, program.maxContext,
      static_cast<uint8_t>(program.kv.keys), static_cast<uint8_t>(program.kv.values),
      program.kv.sink, program.kv.recent);
  fbs::FinishProgramBuffer(builder, root);
  return std::vector<uint8_t>(builder.GetBufferPointer(),
                              builder.GetBufferPointer() + builder.GetSize());
}

} // namespace qrt
