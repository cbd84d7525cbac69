//===- LinearGroups.h - Linears that run as one ----------------------------------------------===//
// q, k and v read one value, and so do gate and up. The engine runs such linears together
// (kernels::linears): their common input is rounded once, and threads meet once instead of three
// times.
#ifndef QRT_ENGINE_LINEARGROUPS_H
#define QRT_ENGINE_LINEARGROUPS_H

#include "Format/Program.h"

#include <vector>

namespace qrt {

/// For every instruction of a verified token-major program the number of the one it runs with:
/// itself, or an earlier Linear, at whose place it may run because nothing between the two touches
/// its result or changes its input.
std::vector<size_t> linearGroupLeaders(const Program &program);

} // namespace qrt

#endif // QRT_ENGINE_LINEARGROUPS_H
