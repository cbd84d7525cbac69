//===- Evaluate.h - Slow, obvious semantics of the qir ops ------------------------------------===//
// One function evaluates any op of the low half of qir, and of its batch-major model ops, by name:
// the mnemonic without the dialect prefix, attributes named as in the .td files, dtypes as the
// words of qrt::name(). It is the reference that graphs are verified against, the constant folder,
// the prober of masks and rotations, and the engine of programs that were not raised.
//
// Numbers: floats are computed in f32 (f64 for f64 operands; sums and products accumulate in f64)
// and rounded once to the type of the result; integers wrap as in ONNX Runtime; division of an
// integer by zero is an error.
// Abstract operands (no data) give abstract results wherever the shape does not depend on the data;
// where it does, the result is an error that says so.
// Errors: InvalidArgument or Unsupported, naming op, attribute and shapes; never a crash, whatever
// the operands are; results larger than 2^40 bytes are ResourceExhausted.
// Thread safety: no shared state.
#ifndef QRT_TENSOR_EVALUATE_H
#define QRT_TENSOR_EVALUATE_H

#include "Format/Program.h"
#include "Tensor/Tensor.h"
#include "qrt/Status.h"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qrt::tensor {

struct OpCall {
  std::string name; ///< "matmul", "reduce", ...
  std::map<std::string, AttrValue> attrs;
};

/// `operands`: in the order of the op definition, null for an absent optional one.
Result<std::vector<Tensor>> evaluate(const OpCall &call, std::span<const Tensor *const> operands);

bool isKnownOp(std::string_view name);

} // namespace qrt::tensor

#endif // QRT_TENSOR_EVALUATE_H
