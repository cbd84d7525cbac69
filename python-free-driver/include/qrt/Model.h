//===- qrt/Model.h - A loaded .qmod file -----------------------------------------------------===//
// Loading maps the file, verifies header, section table, program checksum and every rule about the
// program and its tensors; no weight is read or copied. The checksum of the weights is read only
// on request (`qrun verify`), since it touches every byte of the file.
// Thread safety: immutable after load(); share it between engines and threads.
#ifndef QRT_MODEL_H
#define QRT_MODEL_H

#include "Format/Program.h"
#include "Support/MappedFile.h"
#include "kernels/cpu/sparse/sparse.h"
#include "qrt/Status.h"

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qrt {

struct LoadOptions {
  /// Also check the checksums of all sections, weights included.
  bool verifyChecksums = false;
};

class Model {
public:
  /// CannotRead: the file; InvalidModel: the first violated rule, "<path>: R12 tensor-bounds: ...".
  static Result<std::shared_ptr<const Model>> load(const std::string &path,
                                                   const LoadOptions &options = {});
  /// The same from bytes in memory, 64-byte aligned, which must outlive the model.
  static Result<std::shared_ptr<const Model>> fromMemory(std::span<const uint8_t> bytes,
                                                         const std::string &name,
                                                         const LoadOptions &options = {});

  const Program &program() const { return prog; }
  const std::string &path() const { return filePath; }
  /// Bytes of a section, empty if the file has none of that kind.
  std::string_view section(SectionKind kind) const;
  uint64_t fileBytes() const { return bytes.size(); }

  /// A packed tensor as the kernels read it: those of a device where the entry says `fragments`.
  /// The index must be that of a packed tensor.
  kernels::WeightView weight(int32_t tensorIndex) const;
  /// The sparse outliers of a Linear (Format/SparseOutliers.h); without rows if it has none.
  kernels::SparseMatrix outliers(const Instruction &linear) const;
  /// The bytes of a plain tensor: contiguous elements of its dtype.
  std::span<const uint8_t> plainData(int32_t tensorIndex) const;
  /// Any tensor as f32, numElements floats in the orientation of its shape. Unsupported only for
  /// dtypes that f32 cannot stand for (none today: integers are converted, rounding).
  Status dequantizeTensor(int32_t tensorIndex, float *out) const;

private:
  Model() = default;
  static Result<std::shared_ptr<const Model>> parse(std::shared_ptr<Model> model,
                                                    const LoadOptions &options);

  std::string filePath;
  MappedFile file;
  std::span<const uint8_t> bytes;
  std::span<const uint8_t> weights;
  std::vector<std::pair<SectionKind, std::span<const uint8_t>>> sections;
  Program prog;
};

} // namespace qrt

#endif // QRT_MODEL_H
