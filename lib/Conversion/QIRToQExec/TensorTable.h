//===- TensorTable.h - Constants as stored tensors -------------------------------------------===//
// Gives each distinct constant one qexec.weight or qexec.tensor, at its first use, so that the file
// holds tensors in the order in which they are read: tied weights, which share their value, are
// stored once per format.
#ifndef QOPT_LIB_CONVERSION_QIRTOQEXEC_TENSORTABLE_H
#define QOPT_LIB_CONVERSION_QIRTOQEXEC_TENSORTABLE_H

#include "qopt/Conversion/Passes.h"

#include "llvm/ADT/StringMap.h"

namespace qopt {

class TensorTable {
public:
  explicit TensorTable(mlir::OpBuilder builder) : builder(builder) {}

  /// A packed float matrix. `scheme` may be null: the format of the constant's own type. Null,
  /// after an error at `user`, if `value` is not a float matrix constant.
  mlir::Value denseWeight(mlir::Operation *user, mlir::Value value, qir::SchemeAttr scheme);
  /// A weight of the second set, in `format`. It is named "<initializer>#fp16" and no source, since
  /// the codes are what the model's initializer has become; one that is stored anyway is shared.
  mlir::Value alternateWeight(mlir::Operation *user, mlir::Value value, mlir::StringRef format);

  /// A packed matrix of codes.
  mlir::Value codeWeight(mlir::Operation *user, mlir::Value codes, mlir::Value scales,
                         mlir::Value zeroPoints, int64_t bits, int64_t groupSize);

  /// Rows, columns and values of a linear's outliers, named after its codes; nothing if it has
  /// none.
  void outliers(mlir::Operation *linear, llvm::SmallVectorImpl<mlir::Value> &out);

  /// A plain f32 vector: the elements of a float constant of any shape. Null, without an error, if
  /// `value` is no constant.
  mlir::Value vector(mlir::Value value);
  /// The same, [rows, columns] as the constant has it.
  mlir::Value matrix(mlir::Value value);

  /// A plain f32 vector that no constant holds; `name` gets a number behind it.
  mlir::Value factors(mlir::Location loc, llvm::ArrayRef<float> values, llvm::StringRef name);

  /// A constant as it is, for generic programs.
  mlir::Value plain(qir::ConstantOp constant);

private:
  mlir::Value floats(mlir::Value value, llvm::ArrayRef<int64_t> shape);
  std::string uniqueName(qir::ConstantOp constant, llvm::StringRef format);

  mlir::OpBuilder builder; // appends to the new block
  llvm::DenseMap<mlir::Attribute, mlir::Value> made;
  llvm::StringMap<int> names; // those given away
};

/// The initializer names of a constant: its own, then its aliases, as [{name, transposed}].
mlir::ArrayAttr sourcesOf(qir::ConstantOp constant);

} // namespace qopt

#endif // QOPT_LIB_CONVERSION_QIRTOQEXEC_TENSORTABLE_H
