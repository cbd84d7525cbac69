//===- WeightStore.h - Bytes of weight constants ----------------------------------------------===//
// Weights live in dense_resource blobs: DenseElementsAttr is uniqued and never freed. This is the
// only place that inserts, reads, replaces or releases blobs, and every blob is checked against its
// type (MLIR does not).
//
// Layout: row-major, little-endian; one byte per element for i1 and for 2-, 3- and 4-bit codes,
// which are ui8 tensors. Alignment: owned blobs are 64-byte aligned; borrowed ones must be aligned
// for their element type (insertBorrowed copies them otherwise). Lifetime: a borrowed blob keeps
// its `owner` alive. Ownership: the blob belongs to the context; release() frees it early, after
// which the constant must not be read. Thread safety: insertion and release are serialised by the
// context's blob manager; reading is free.
#ifndef QOPT_SUPPORT_WEIGHTSTORE_H
#define QOPT_SUPPORT_WEIGHTSTORE_H

#include "qopt/Dialect/QIR/IR/QIROps.h"

#include "mlir/IR/BuiltinAttributes.h"

#include <memory>

namespace qopt {

class WeightStore {
public:
  /// Bytes that a tensor of this type takes in a blob; failure for dynamic shapes and overflow.
  static mlir::FailureOr<size_t> byteSize(mlir::ShapedType type);

  /// A constant value that reads `bytes` in place. `owner` (for example the mapped file) lives as
  /// long as the blob. Null if the size does not fit the type.
  static mlir::ElementsAttr insertBorrowed(mlir::RankedTensorType type, llvm::StringRef name,
                                           llvm::ArrayRef<char> bytes,
                                           std::shared_ptr<const void> owner);

  /// A constant value with a copy of `bytes`: dense up to 64 elements, a resource beyond.
  static mlir::ElementsAttr insertCopy(mlir::RankedTensorType type, llvm::StringRef name,
                                       llvm::ArrayRef<char> bytes);

  /// A zero-filled owned blob to write into through `data`: no second copy for large results.
  static mlir::ElementsAttr allocate(mlir::RankedTensorType type, llvm::StringRef name,
                                     llvm::MutableArrayRef<char> &data);

  /// The bytes of a constant. `scratch` holds them where the attribute has no flat bytes of its own
  /// (splat, i1), so it must outlive the result. Fails for released blobs and wrong sizes.
  static mlir::FailureOr<llvm::ArrayRef<char>> bytes(mlir::ElementsAttr value,
                                                     llvm::SmallVectorImpl<char> &scratch);
  static mlir::FailureOr<llvm::ArrayRef<char>> bytes(qir::ConstantOp op,
                                                     llvm::SmallVectorImpl<char> &scratch) {
    return bytes(op.getValue(), scratch);
  }

  /// Gives the constant another value and frees the old blob if `releaseOld`. The caller knows that
  /// no other constant shares the blob.
  static void replace(qir::ConstantOp op, mlir::ElementsAttr value, bool releaseOld);

  /// Frees the blob of a constant that will not be read again. Dense values are left alone.
  static void release(mlir::ElementsAttr value);
};

} // namespace qopt

#endif // QOPT_SUPPORT_WEIGHTSTORE_H
