//===- Summary.cpp - What a model file holds, in figures -------------------------------------===//
#include "Summary.h"

#include "Format/AlternateSet.h"
#include "Format/SparseOutliers.h"
#include "Support/CheckedMath.h"

#include <set>

namespace qrt {

int64_t storedBytes(const TensorEntry &tensor) {
  return int64_t(tensor.dataBytes + tensor.scalesBytes + tensor.zeroPointsBytes);
}

int64_t elementCount(const TensorEntry &tensor) {
  return checkedProduct(tensor.shape).value_or(0); // R13 bounds it
}

BitsPerWeight bitsPerWeight(const Model &model) {
  const Program &program = model.program();
  std::set<int32_t> quantized;
  for (const Instruction &instruction : program.instructions) {
    if (instruction.op != OpCode::Linear)
      continue;
    int32_t tensor = program.values[size_t(instruction.inputs[1])].tensorIndex;
    if (kernels::isQuantized(program.tensors[size_t(tensor)].weight.format))
      quantized.insert(tensor);
  }
  double quantizedBits = 0, quantizedWeights = 0, weights = 0;
  for (int32_t index : quantized) {
    quantizedBits += 8.0 * double(storedBytes(program.tensors[size_t(index)]));
    quantizedWeights += double(elementCount(program.tensors[size_t(index)]));
  }
  const OutlierCount outliers = countOutliers(program); // weights that the codes stand for too
  quantizedBits += 8.0 * double(outliers.bytes);
  weights -= double(outliers.weights);
  const AlternateSet second = alternateSet(program); // the same weights once more
  for (size_t i = 0; i < program.tensors.size(); ++i)
    if (const TensorEntry &tensor = program.tensors[i];
        (tensor.packed || isFloat(tensor.dtype)) && !second.onlyHere[i])
      weights += double(elementCount(tensor));
  BitsPerWeight out;
  if (quantizedWeights > 0)
    out.quantizedLinears = quantizedBits / quantizedWeights;
  if (weights > 0)
    out.file = 8.0 * double(model.fileBytes()) / weights;
  return out;
}

const char *programKindName(ProgramKind kind) {
  return kind == ProgramKind::TokenMajor ? "token_major" : "generic";
}

} // namespace qrt
