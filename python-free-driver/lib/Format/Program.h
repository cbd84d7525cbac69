//===- Program.h - What a .qmod file says, as plain structs ----------------------------------===//
// The in-memory form of the PROGRAM section: filled by the compiler and consumed by QmodWriter,
// or produced by the reader, after verification, and executed by the engine. docs/qmod-format.md
// has the file layout and the numbered rules (R1...) that a program must obey; Verifier.h checks
// them. All enum numbers are part of the file format: append, never renumber.
//
// Two kinds of program:
//
//  TokenMajor  activations are f32 [T, width], T = the tokens of all sequences of one step.
//    Values: Ids and Positions (one i32 per token), Tensor (a weight), Buffer (an activation at
//    arenaOffset floats per token: the engine keeps it at arena + arenaOffset * T, rows `width`
//    floats apart). Instructions, with their operands and attributes ("?" optional):
//      Embed          (table, ids) {offset?: int}                        -> [T, K of table]
//      Linear         (x, weight, bias?, alternate?, outlier_rows?, outlier_columns?,
//                     outlier_values?) {activation?: "f32"|"a16"|"a8",
//                     activation_scales?: floats}                        -> [T, N]
//                     alternate: the weight of the second set, for tokens that ask for it
//                     outliers: i32 [N + 1], u16 [E], f16 [E], a sparse matrix that is added to a
//                     quantized weight (kernels/cpu/sparse/sparse.h); all three or none
//                     activation_scales: static scales of 8-bit activations, one per block of K
//      RmsNorm        (x, weight) {epsilon: float}      each chunk of len(weight) features
//      LayerNorm      (x, weight, bias?) {epsilon: float}
//      Rope           (x, positions, inv_freq) {head_dim: int, interleaved?: 0|1, scaling?: float}
//                     rotates the first 2 * len(inv_freq) features of each head; the angle is
//                     position * inv_freq; scaling multiplies cos and sin
//      Attention      (q, k, v, balance?) {num_heads, kv_heads, head_dim, value_dim, cache: int,
//                     scale: float, softcap?: float, window?: int}        -> [T, heads * value_dim]
//                     appends k and v to cache `cache`, then attends causally over it; balance:
//                     f32 [kv_heads * head_dim], positive, for coded keys
//                     (kernels/cpu/attention/attention.h)
//      GatedActivation(gate, up) {kind: "silu"|"gelu"|"gelu_tanh"}        act(gate) * up
//      Unary          (x) {kind: "gelu"|"gelu_tanh"|"silu"|"relu"|"tanh"|"softcap",
//                     cap: float for softcap}                             cap * tanh(x / cap)
//      Binary         (a, b) {kind: "add"|"sub"|"mul"|"div"}  b: same width, or an f32 tensor
//                     of `width` values (row broadcast) or of one value (scalar)
//      CopyColumns    (x...) {starts: ints, sizes: ints}  columns [start, start + size) of each
//                     operand side by side: slice (one operand) and concat
//      SelectRows     (x)  keeps the rows whose logits were asked for; at most one such row set
//                     per program, everything after it works on those rows
//      Hadamard       (x, base?) {block: int}  each block of features times base (x) W over
//                     sqrt(block), W the Walsh matrix of order block / len(base), base a plain f32
//                     tensor [m, m] (kernels/cpu/hadamard/hadamard.h)
//    Vectors (norm weights, biases, inv_freq, Binary constants) are plain f32 tensors.
//
//  Generic  a graph that was not raised: one sequence at a time, batch-major tensors of dynamic
//    shape. Values: Dynamic or Tensor. Instructions: TensorOp {op: qir mnemonic, further
//    attributes as in qir}, evaluated by lib/Tensor; Linear and Embed as above on [..., K]
//    tensors, for packed weights (a plain weight enters a TensorOp only). Inputs and outputs are
//    bound by name: input_ids, attention_mask, position_ids, past_key_values.N.key|value,
//    logits, present.N.key|value (aliases in lib/Engine/GenericBinding.h).
#ifndef QRT_FORMAT_PROGRAM_H
#define QRT_FORMAT_PROGRAM_H

#include "kernels/cpu/linear/linear.h"
#include "qrt/KvSpec.h"

#include <cstdint>
#include <limits>
#include <string>
#include <variant>
#include <vector>

namespace qrt {

enum class SectionKind : uint32_t {
  Program = 1,
  Weights = 2,
  Tokenizer = 3,        // tokenizer.json
  TokenizerConfig = 4,  // tokenizer_config.json
  ChatTemplate = 5,     // Jinja source
  GenerationConfig = 6, // generation_config.json
  ModelConfig = 7,      // config.json
  Recipe = 8,           // JSON: how it was compiled
  Provenance = 9,       // JSON: from what, by which version
  Markers = 10,         // JSON: marker table of the reasoning controls
};
/// "program", "weights", "tokenizer" ...; "unknown" for other numbers.
const char *sectionName(SectionKind kind);

/// A name under which the tensor is known in the ONNX file, and whether it lies there transposed
/// ([K, N] instead of [N, K]). Tied weights have several.
struct SourceName {
  std::string name;
  bool transposed = false;
};

struct TensorEntry {
  std::string name;
  std::vector<SourceName> sources;
  std::vector<int64_t> shape; ///< packed: [N, K]; plain: any rank
  /// true: the layout of kernels::WeightView (rows padded, or panels), described by `weight`;
  /// false: contiguous row-major elements of `dtype`, sub-byte types one per byte.
  bool packed = false;
  DType dtype = DType::F32;   ///< plain tensors only
  kernels::WeightDesc weight; ///< packed tensors only; n and k equal shape
  /// Packed tensors only: the data stream is in the order of tensor cores
  /// (kernels/cuda/layout/StoredWeights.h), which only a device reads.
  bool fragments = false;
  uint64_t dataOffset = 0; ///< offsets are relative to the WEIGHTS section; the writer sets
  uint64_t dataBytes = 0;  ///< all offsets and sizes, 64-byte aligned
  uint64_t scalesOffset = 0;
  uint64_t scalesBytes = 0;
  uint64_t zeroPointsOffset = 0;
  uint64_t zeroPointsBytes = 0;
  std::string scheme; ///< "w4a16-g128-sym", "f16", ...: for people
  /// Relative RMS error of the stored weights against the source; NaN = not measured.
  double rmsError = std::numeric_limits<double>::quiet_NaN();
};

using AttrValue =
    std::variant<int64_t, double, std::string, std::vector<int64_t>, std::vector<double>>;
struct Attr {
  std::string name;
  AttrValue value;
};

enum class OpCode : uint8_t {
  Embed = 0,
  Linear = 1,
  RmsNorm = 2,
  LayerNorm = 3,
  Rope = 4,
  Attention = 5,
  GatedActivation = 6,
  Unary = 7,
  Binary = 8,
  CopyColumns = 9,
  SelectRows = 10,
  TensorOp = 11,
  Hadamard = 12,
};
inline constexpr uint8_t numOpCodes = 13;
/// "Embed", "Linear" ...
const char *opCodeName(OpCode op);

struct Instruction {
  OpCode op = OpCode::TensorOp;
  std::vector<int32_t> inputs; ///< value numbers, -1 = absent optional
  std::vector<int32_t> outputs;
  std::vector<Attr> attrs;
  std::string location; ///< ONNX node name, for messages

  const AttrValue *find(std::string_view attr) const;
  int64_t getInt(std::string_view attr, int64_t otherwise = 0) const;
  double getFloat(std::string_view attr, double otherwise = 0) const; ///< accepts an int too
  std::string_view getString(std::string_view attr, std::string_view otherwise = {}) const;
  const std::vector<int64_t> *getInts(std::string_view attr) const;
};

enum class ValueKind : uint8_t { Buffer = 0, Tensor = 1, Ids = 2, Positions = 3, Dynamic = 4 };

struct Value {
  ValueKind kind = ValueKind::Buffer;
  int64_t width = 0;        ///< Buffer: features per token
  DType dtype = DType::F32; ///< Buffer: F32; Ids, Positions: I32; Dynamic: as the graph says
  int32_t tensorIndex = -1; ///< Tensor
  int64_t arenaOffset = -1; ///< Buffer: floats per token, a multiple of 16
};

/// A program input or output. dims (Generic): one string per dimension, a decimal number or the
/// symbolic expression of the ONNX file ("past_sequence_length + 1").
struct IoDesc {
  std::string name;
  int32_t value = -1;
  DType dtype = DType::F32;
  std::vector<std::string> dims;
};

struct CacheSpec {
  int64_t kvHeads = 0, headDim = 0, valueDim = 0;
  int64_t window = 0; ///< 0 = unlimited
};

enum class ProgramKind : uint8_t { TokenMajor = 0, Generic = 1 };

struct Program {
  ProgramKind kind = ProgramKind::TokenMajor;
  std::vector<TensorEntry> tensors; ///< filled by QmodWriter::addTensor when writing
  std::vector<Value> values;
  std::vector<Instruction> instructions;
  std::vector<IoDesc> inputs;  ///< TokenMajor: "ids" and, where used, "positions"
  std::vector<IoDesc> outputs; ///< TokenMajor: "logits"
  std::vector<CacheSpec> caches;
  KvSpec kv; ///< what caches store unless the engine's options say otherwise
  int32_t vocabSize = 0;
  int64_t arenaFloatsPerToken = 0;
  int64_t maxContext = 0; ///< 0 = unknown
};

} // namespace qrt

#endif // QRT_FORMAT_PROGRAM_H
