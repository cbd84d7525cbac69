//===- OperandVerifier.h - Kinds and widths of the operands of one instruction ---------------===//
#ifndef QRT_FORMAT_OPERANDVERIFIER_H
#define QRT_FORMAT_OPERANDVERIFIER_H

#include "Format/Container.h"
#include "Format/Verifier.h"
#include "Format/VerifierParts.h"

namespace qrt {

/// Checks one instruction at a time; carries which values hold selected rows.
class OperandVerifier {
public:
  explicit OperandVerifier(const Program &program)
      : program(program), selected(selectedRowValues(program)),
        cacheUsed(program.caches.size(), false) {}

  Status run();

private:
  Status verifyOne();
  Status kindError(size_t operand, const std::string &expected) const {
    return ruleError("R21 operand-kind",
                     what + ": operand " + std::to_string(operand) + " must be " + expected);
  }
  Status widthError(const std::string &text) const {
    return ruleError("R22 width", what + ": " + text);
  }
  const Value &in(size_t i) const { return program.values[inst->inputs[i]]; }
  const Value &out() const { return program.values[inst->outputs[0]]; }
  bool has(size_t i) const { return i < inst->inputs.size() && inst->inputs[i] >= 0; }

  /// Activations: Buffer (TokenMajor) or Dynamic (Generic).
  Status needActivation(size_t i) const;
  Status needWeight(size_t i, const TensorEntry *&tensor) const;
  Status needVector(size_t i, int64_t &length) const;
  Status needOutWidth(int64_t width) const;

  Status verifyRows();
  Status verifyGeneric();

  // VerifyLinear.cpp
  Status verifyEmbed();
  Status verifyLinear();
  Status verifyAlternate(const TensorEntry &weight) const;
  Status verifyOutliers(const TensorEntry &weight) const;
  Status verifyActivationScales(const TensorEntry &weight) const;

  // VerifyAttention.cpp
  Status verifyRope();
  Status verifyAttention();

  // VerifyElementwise.cpp
  Status verifyNorm();
  Status verifyBinary();
  Status verifySameWidth();
  Status verifyCopyColumns();
  Status verifyHadamard();

  const Program &program;
  std::vector<bool> selected;
  std::vector<bool> cacheUsed;
  const Instruction *inst = nullptr;
  std::string what;
};

} // namespace qrt

#endif // QRT_FORMAT_OPERANDVERIFIER_H
