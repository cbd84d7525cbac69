//===- DecodeProgram.cpp - FlatBuffers to program structs, hostile input ---------------------===//
// FlatBuffers may point twice at the same bytes, so a small hostile file could describe a huge
// program. The budget below charges every string, vector and table against the size of the section;
// a file whose parts are not shared can never exceed it (rule R11).
#include "Format/Container.h"
#include "Format/ProgramEncoding.h"
#include "Format/qmod_generated.h"

namespace qrt {

namespace {

class Decoder {
public:
  explicit Decoder(size_t budget) : budget(budget) {}
  Result<Program> decode(const fbs::Program &in);

private:
  bool charge(size_t bytes) {
    if (bytes > budget)
      return overdrawn = true, false;
    budget -= bytes;
    return true;
  }
  std::string text(const flatbuffers::String *from) {
    return from && charge(from->size()) ? from->str() : std::string();
  }
  template <class T>
  std::vector<T> numbers(const flatbuffers::Vector<T> *from) {
    if (!from || !charge(size_t(from->size()) * sizeof(T)))
      return {};
    return std::vector<T>(from->begin(), from->end());
  }
  /// Decodes each table of a vector; a table of ours takes at least 8 bytes beside its offset.
  template <class Out, class In, class One>
  std::vector<Out> tables(const flatbuffers::Vector<flatbuffers::Offset<In>> *from, One one) {
    std::vector<Out> result;
    if (!from || !charge(size_t(from->size()) * 8))
      return result;
    if (from->size() > maxProgramItems) {
      overdrawn = true;
      return result;
    }
    result.reserve(from->size());
    for (const In *item : *from) {
      result.push_back(one(*item));
      if (overdrawn)
        break;
    }
    return result;
  }
  template <class E>
  E enumerator(unsigned number, unsigned limit, const char *what) {
    if (number >= limit && badEnum.empty())
      badEnum = std::string(what) + " " + std::to_string(number);
    return static_cast<E>(number < limit ? number : 0);
  }
  DType dtype(uint8_t number) { return enumerator<DType>(number, numDTypes, "dtype"); }

  TensorEntry tensor(const fbs::Tensor &in);
  Attr attr(const fbs::Attr &in);
  Instruction instruction(const fbs::Instruction &in);
  Value value(const fbs::Value &in);
  IoDesc io(const fbs::Io &in);

  size_t budget;
  bool overdrawn = false;
  std::string badEnum;
};

TensorEntry Decoder::tensor(const fbs::Tensor &in) {
  TensorEntry out;
  out.name = text(in.name());
  out.sources = tables<SourceName>(in.sources(), [&](const fbs::SourceName &s) {
    return SourceName{text(s.name()), s.transposed()};
  });
  out.shape = numbers(in.shape());
  out.packed = in.packed();
  out.dtype = dtype(in.dtype());
  if (out.packed) {
    out.weight.format = enumerator<kernels::WeightFormat>(in.format(), 7, "weight format");
    out.weight.groupSize = in.group_size();
    out.weight.symmetric = in.symmetric();
    out.weight.scaleType = enumerator<kernels::ScaleType>(in.scale_type(), 2, "scale type");
    out.fragments = in.fragments();
    if (out.shape.size() == 2) {
      out.weight.n = out.shape[0];
      out.weight.k = out.shape[1];
    }
  }
  out.dataOffset = in.data_offset();
  out.dataBytes = in.data_bytes();
  out.scalesOffset = in.scales_offset();
  out.scalesBytes = in.scales_bytes();
  out.zeroPointsOffset = in.zero_points_offset();
  out.zeroPointsBytes = in.zero_points_bytes();
  out.scheme = text(in.scheme());
  if (in.has_rms_error())
    out.rmsError = in.rms_error();
  return out;
}

Attr Decoder::attr(const fbs::Attr &in) {
  Attr out;
  out.name = text(in.name());
  switch (enumerator<unsigned>(in.type(), 5, "attribute type")) {
  case 0:
    out.value = in.i();
    break;
  case 1:
    out.value = in.f();
    break;
  case 2:
    out.value = text(in.s());
    break;
  case 3:
    out.value = numbers(in.ints());
    break;
  default:
    out.value = numbers(in.floats());
  }
  return out;
}

Instruction Decoder::instruction(const fbs::Instruction &in) {
  Instruction out;
  out.op = enumerator<OpCode>(in.op(), numOpCodes, "instruction code");
  out.inputs = numbers(in.inputs());
  out.outputs = numbers(in.outputs());
  out.attrs = tables<Attr>(in.attrs(), [&](const fbs::Attr &a) { return attr(a); });
  out.location = text(in.location());
  return out;
}

Value Decoder::value(const fbs::Value &in) {
  Value out;
  out.kind = enumerator<ValueKind>(in.kind(), 5, "value kind");
  out.width = in.width();
  out.dtype = dtype(in.dtype());
  out.tensorIndex = in.tensor();
  out.arenaOffset = in.arena_offset();
  return out;
}

IoDesc Decoder::io(const fbs::Io &in) {
  IoDesc out;
  out.name = text(in.name());
  out.value = in.value();
  out.dtype = dtype(in.dtype());
  if (in.dims() && charge(size_t(in.dims()->size()) * 8))
    for (const flatbuffers::String *dim : *in.dims())
      out.dims.push_back(text(dim));
  return out;
}

Result<Program> Decoder::decode(const fbs::Program &in) {
  Program out;
  out.kind = enumerator<ProgramKind>(in.kind(), 2, "program kind");
  out.tensors = tables<TensorEntry>(in.tensors(), [&](const auto &t) { return tensor(t); });
  out.values = tables<Value>(in.values(), [&](const auto &v) { return value(v); });
  out.instructions =
      tables<Instruction>(in.instructions(), [&](const auto &i) { return instruction(i); });
  out.inputs = tables<IoDesc>(in.inputs(), [&](const auto &i) { return io(i); });
  out.outputs = tables<IoDesc>(in.outputs(), [&](const auto &i) { return io(i); });
  out.caches = tables<CacheSpec>(in.caches(), [&](const auto &c) {
    return CacheSpec{c.kv_heads(), c.head_dim(), c.value_dim(), c.window()};
  });
  out.vocabSize = in.vocab_size();
  out.arenaFloatsPerToken = in.arena_floats_per_token();
  out.maxContext = in.max_context();
  out.kv = {dtype(in.kv_keys()), dtype(in.kv_values()), in.kv_sink(), in.kv_recent()};
  if (overdrawn)
    return ruleError("R11 program-size", "the program is larger than its section can hold, or has "
                                         "more than 1048576 items of one kind");
  if (!badEnum.empty())
    return ruleError("R12 enumerator", "unknown " + badEnum);
  return out;
}

} // namespace

Result<Program> decodeProgram(std::span<const uint8_t> bytes) {
  // Tables are counted per visit, so this also bounds the time of the check.
  flatbuffers::Verifier verifier(bytes.data(), bytes.size(), /*max_depth=*/16,
                                 /*max_tables=*/static_cast<flatbuffers::uoffset_t>(8 << 20));
  if (bytes.size() < 8 || bytes.size() >= FLATBUFFERS_MAX_BUFFER_SIZE ||
      !fbs::VerifyProgramBuffer(verifier))
    return ruleError("R10 flatbuffer", "the program section is not a well-formed FlatBuffer");
  return Decoder(bytes.size()).decode(*fbs::GetProgram(bytes.data()));
}

} // namespace qrt
