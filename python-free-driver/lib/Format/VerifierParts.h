//===- VerifierParts.h - The parts of verifyProgram() ----------------------------------------===//
// Internal to lib/Format. Each function checks the rules named behind it and may rely on the ones
// before it having passed.
#ifndef QRT_FORMAT_VERIFIERPARTS_H
#define QRT_FORMAT_VERIFIERPARTS_H

#include "Format/Program.h"
#include "qrt/Status.h"

#include <cstdint>
#include <string>

namespace qrt {

Status verifyTensors(const Program &program, uint64_t weightsBytes); // R13 - R16
Status verifyAttributes(const Program &program);                     // R19, R20
Status verifyOperands(const Program &program); // R21, R22, R25, R29, R31 - R33
Status verifyDataFlow(const Program &program); // R23, R24
Status verifyArena(const Program &program);    // R26

/// "instruction 7 (Linear, '/model/up_proj')": how messages name an instruction.
std::string describeInstruction(const Program &program, size_t index);

} // namespace qrt

#endif // QRT_FORMAT_VERIFIERPARTS_H
