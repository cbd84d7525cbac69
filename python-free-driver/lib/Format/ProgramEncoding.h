//===- ProgramEncoding.h - Program structs to and from FlatBuffers ---------------------------===//
// encodeProgram() gives the bytes of the PROGRAM section; decodeProgram() checks R10 (well-formed
// FlatBuffer), R11 (sizes) and R12 (enumerators) and builds the structs. Everything about meaning
// is left to Verifier.h.
// Thread safety: free functions without state.
#ifndef QRT_FORMAT_PROGRAMENCODING_H
#define QRT_FORMAT_PROGRAMENCODING_H

#include "Format/Program.h"
#include "qrt/Status.h"

#include <cstdint>
#include <span>
#include <vector>

namespace qrt {

/// Most values, instructions, tensors, inputs, outputs or caches of a program (rule R11).
inline constexpr size_t maxProgramItems = size_t(1) << 20;

Result<std::vector<uint8_t>> encodeProgram(const Program &program);
/// `bytes` must be 8-byte aligned.
Result<Program> decodeProgram(std::span<const uint8_t> bytes);

} // namespace qrt

#endif // QRT_FORMAT_PROGRAMENCODING_H
