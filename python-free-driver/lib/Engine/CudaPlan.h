//===- CudaPlan.h - Where the values of a program lie on a device ----------------------------===//
// Buffers are f32 at their arena offsets, as on the CPU, except values that only products read:
// those are stored in the type that the product multiplies in (f16 or bf16), in a second arena that
// is planned here. So a product never converts its input, and everything else stays f32, also what
// is rounded to 8 bits for a product.
// Rows of a value are `stride` elements apart; a value begins at offset * (rows of the arena).
// Thread safety: pure functions.
#ifndef QRT_ENGINE_CUDAPLAN_H
#define QRT_ENGINE_CUDAPLAN_H

#include "Format/Program.h"
#include "qrt/Status.h"

#include <vector>

namespace qrt {

struct CudaPlace {
  bool selected = false;   ///< holds only the rows whose logits are wanted
  DType type = DType::F32; ///< F32, or F16 or BF16 in the second arena
  int64_t offset = 0;      ///< elements per row
  int64_t width = 0;

  int64_t stride() const { return (width + 15) / 16 * 16; }
  /// Whether two values of the same rows share memory.
  bool overlaps(const CudaPlace &other) const {
    return (type == DType::F32) == (other.type == DType::F32) &&
           offset < other.offset + other.stride() && other.offset < offset + stride();
  }
};

struct CudaPlan {
  std::vector<CudaPlace> places; ///< per value; of buffers only
  int64_t floats[2] = {0, 0};    ///< per row of the first arena, by `selected`
  int64_t halves[2] = {0, 0};    ///< per row of the second arena
  int64_t converted = 0;         ///< widest input of a product that has to be converted
};

/// The type in which a Linear multiplies: F32 where the program says f32 or the weights are, BF16
/// for bf16 weights, I8 for 8-bit activations, else F16.
DType cudaProductType(const Program &program, const Instruction &instruction);

/// The type in which a Linear multiplies with its weight of the second set.
DType cudaAlternateType(const Program &program, int32_t tensorIndex);

/// What the cache stores where neither the model nor the user says it: f16, which the kernels of
/// attention are made for, unless every product computes in f32.
KvOptions cudaKvOptions(const Program &program, const KvOptions &options);

/// `alternates`: products may be asked of the second set too.
CudaPlan planCuda(const Program &program, bool alternates = false);

/// "instruction 7 (Linear, '/mlp/up')".
std::string instructionText(const Program &program, size_t index);

} // namespace qrt

#endif // QRT_ENGINE_CUDAPLAN_H
