//===- Tensor.h - A value of the tensor library ----------------------------------------------===//
// Dense, row-major, immutable and shared: copying a Tensor copies a pointer. Sub-byte types are
// kept one element per byte, Bool as 0 or 1.
//
// An *abstract* tensor has a shape and a type but no data: evaluation computes the shape of results
// and leaves their data out, which is how the compiler probes graphs whose weights do not matter.
// A tensor without elements is never abstract, whatever its pointer is.
//
// Thread safety: values; the bytes are never written after construction.
#ifndef QRT_TENSOR_TENSOR_H
#define QRT_TENSOR_TENSOR_H

#include "qrt/DType.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace qrt::tensor {

struct Tensor {
  DType dtype = DType::F32;
  std::vector<int64_t> shape;       ///< empty: a scalar
  std::shared_ptr<const void> data; ///< null: abstract
};

} // namespace qrt::tensor

#endif // QRT_TENSOR_TENSOR_H
