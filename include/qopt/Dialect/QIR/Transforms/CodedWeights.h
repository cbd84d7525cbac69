//===- CodedWeights.h - Quantized weights in a graph ------------------------------------------===//
// What every pass that quantizes does to the graph: constants for codes, scales and zero points,
// the quantized op in place of the float one, and the float blob freed. Names, locations, tied
// names and discardable attributes are kept; `qir.rms_error` and `qir.scheme_text` are added.
// Thread safety: as the IR: one thread.
#ifndef QOPT_DIALECT_QIR_TRANSFORMS_CODEDWEIGHTS_H
#define QOPT_DIALECT_QIR_TRANSFORMS_CODEDWEIGHTS_H

#include "qopt/Dialect/QIR/IR/QIROps.h"
#include "qopt/Support/WeightStore.h"

#include <optional>

namespace qopt::qir {

/// The scheme of a linear or an embedding; f32 for anything else and where there is none.
SchemeAttr schemeOf(mlir::Operation *op);

/// Is this a linear that calibration quantizes? Those with an integer scheme, except an output head
/// of 8 bits or one that shares its weight with an embedding: these have one table for both.
bool isCalibrated(mlir::Operation *op);

/// Puts the weight of a linear into the second weight set, in the 16-bit format of its source; f32
/// becomes f16, or bf16 where f16 does not hold its values. Whoever quantizes the linear then keeps
/// its weight as the alternate.
mlir::LogicalResult markAlternate(LinearOp linear);

/// The constants that stand for one quantized weight.
struct CodedWeight {
  mlir::Value codes, scales, zeroPoints; ///< zeroPoints: null if symmetric
  double rmsError = 0;                   ///< of the weight, relative
};

/// Codes [n, k], scales (f16 bits) and zero points [n, groups] in the making; the buffers are zero
/// at first and belong to the context.
class NewCodedWeight {
public:
  NewCodedWeight(ConstantOp weight, SchemeAttr scheme);

  uint8_t *codes() { return reinterpret_cast<uint8_t *>(codesConstant.bytes.data()); }
  uint16_t *scales() { return reinterpret_cast<uint16_t *>(scalesConstant.bytes.data()); }
  /// Null if the scheme is symmetric.
  uint8_t *zeroPoints() {
    return zerosConstant ? reinterpret_cast<uint8_t *>(zerosConstant->bytes.data()) : nullptr;
  }
  int64_t groups() const { return groupCount; }

  /// Makes the ops, beside the weight.
  CodedWeight finish(double rmsError);
  /// Frees the buffers of a weight that will not be made.
  void discard();

private:
  struct Part {
    mlir::RankedTensorType type;
    std::string name;
    mlir::ElementsAttr value;
    mlir::MutableArrayRef<char> bytes;
    Part(mlir::RankedTensorType type, std::string name);
    mlir::ElementsAttr finish();
  };
  ConstantOp weight;
  int64_t groupCount;
  Part codesConstant, scalesConstant;
  std::optional<Part> zerosConstant;
};

/// Puts the quantized op in place of a linear or an embedding and erases that. The float constant
/// stays: see releaseIfUnused().
mlir::Operation *replaceByQuantized(mlir::Operation *op, const CodedWeight &weight);

/// Erases a float weight without users and frees its blob, unless another constant below `root`
/// reads it.
void releaseIfUnused(ConstantOp weight, mlir::Operation *root);

} // namespace qopt::qir

#endif // QOPT_DIALECT_QIR_TRANSFORMS_CODEDWEIGHTS_H
