//===- AlternateSet.h - The second weight set of a program -----------------------------------===//
// Linears may carry an alternate weight, 16-bit as the model had it before it was quantized; tokens
// that ask for it are computed with it (FP16 planning and rescue, arXiv 2606.02011). Its tensors
// are ordinary ones: a file has one weights section and one program. Thread safety: free functions
// without state.
#ifndef QRT_FORMAT_ALTERNATESET_H
#define QRT_FORMAT_ALTERNATESET_H

#include "Format/Program.h"

#include <cstdint>
#include <vector>

namespace qrt {

struct AlternateSet {
  int64_t linears = 0;        ///< that have an alternate
  int64_t quantized = 0;      ///< linears with a quantized weight
  int64_t bytes = 0;          ///< in the file, of tensors that nothing but alternates reads
  std::vector<bool> onlyHere; ///< per tensor: nothing but alternates reads it

  bool empty() const { return linears == 0; }
};

/// Of a verified program.
AlternateSet alternateSet(const Program &program);

/// The tensor of a Linear's alternate weight, -1 if it has none.
int32_t alternateTensor(const Program &program, const Instruction &linear);

} // namespace qrt

#endif // QRT_FORMAT_ALTERNATESET_H
