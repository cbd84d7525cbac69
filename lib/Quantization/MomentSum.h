//===- MomentSum.h - sum_t a_t b_t^T in f64 tiles ---------------------------------------------===//
// The sum behind HessianAccumulator (a = w x, b = x, lower triangle) and CrossMoment (whole). The
// matrix is cut into blocks of 96 x 96, so that a chunk of tokens streams through the sums once.
// Chunk sums are f32, or of bytes and exact; sums of chunks are f64.
#ifndef QOPT_LIB_QUANTIZATION_MOMENTSUM_H
#define QOPT_LIB_QUANTIZATION_MOMENTSUM_H

#include "qopt/Quantization/Parallel.h"
#include "qopt/Quantization/ProductSum.h"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace qopt::quantization {

class MomentSum final : public ProductSum {
public:
  static constexpr int64_t block = 96; ///< a multiple of both sides of a register tile
  /// Tokens that share scales of bytes: so many that their sums are exact in f32, too.
  static constexpr int64_t byteChunk = 1024;

  MomentSum(int64_t k, bool lowerOnly, ParallelFor parallel);

  /// Adds up to `chunk` tokens of a and b [tokens, k]. May be the same array.
  void add(const float *a, const float *b, int64_t tokens) override;
  /// Adds x x^T of up to `byteChunk` tokens [tokens, k] (lower only), behind which 16 floats can
  /// be read. Channels are rounded to 8 bits, with a scale each; blocks of 96 channels with one
  /// in which that makes a noise above byteNoise of its mean square are taken in f32.
  void addBytes(const float *x, int64_t tokens);
  /// Writes the sums times factor [k, k] (mirrored if lower only); false if one is not finite.
  bool write(double factor, std::span<float> out) override;
  static int64_t bytes(int64_t k, bool lowerOnly);

  /// The largest noise of a rounded channel, as a part of its mean square over the chunk. Values
  /// of a normal distribution make 6e-5, behind a gate about 1e-3.
  static constexpr float byteNoise = 3e-3f;

private:
  struct Pair {
    int64_t row, column;
  };
  int64_t blockOffset(int64_t row, int64_t column) const;
  std::vector<Pair> pairs() const;
  void pack(const float *a, const float *b, int64_t tokens);
  void addPair(Pair pair, int64_t tokens);
  void roundBlock(const float *x, int64_t tokens, int64_t index);
  void addBytePair(Pair pair, int64_t quads);

  int64_t k, blocks;
  bool lowerOnly;
  ParallelFor parallel;
  std::unique_ptr<double[]> sums;
  std::vector<float> packedA, packedB;
  std::vector<int8_t> packedBytes;
  std::vector<float> scales;     ///< of bytes, by channel, 0 beyond k
  std::vector<int32_t> byteSums; ///< by channel
  std::vector<uint8_t> rough;    ///< by block: too much noise
};

} // namespace qopt::quantization

#endif // QOPT_LIB_QUANTIZATION_MOMENTSUM_H
