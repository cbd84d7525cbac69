//===- Verifier.h - Is this program safe and meaningful? -------------------------------------===//
// Checks the rules R13 to R33 of docs/qmod-format.md on a decoded program. A program that passes
// can be executed without any further check of operands, widths, offsets or attributes. The writer
// runs the same function, so a file that was written can be read.
// Thread safety: free functions without state.
#ifndef QRT_FORMAT_VERIFIER_H
#define QRT_FORMAT_VERIFIER_H

#include "Format/Program.h"
#include "kernels/cpu/linear/linear.h"
#include "qrt/Status.h"

#include <cstdint>
#include <vector>

namespace qrt {

/// InvalidModel with the first violated rule: "R22 width: instruction 7 (Linear, '/mlp/up'): ...".
Status verifyProgram(const Program &program, uint64_t weightsBytes);

/// Bytes of the three streams of a tensor (plain: data only); R13 or R14 if its description is
/// impossible. Offsets and sizes in the entry are not looked at.
Result<kernels::PackedSizes> tensorStreams(const TensorEntry &tensor);

/// TokenMajor, verified: for each value, does it hold only the rows that SelectRows kept?
std::vector<bool> selectedRowValues(const Program &program);

/// Tokens from which on a learned position table would be read behind its end; 0 = no such table.
int64_t positionLimit(const Program &program);

} // namespace qrt

#endif // QRT_FORMAT_VERIFIER_H
