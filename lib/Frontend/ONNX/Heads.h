//===- Heads.h - Steps that all attention operators share -------------------------------------===//
// [B, S, heads * D] <-> [B, heads, S, D], caches, and masks made of positions.
#ifndef QOPT_LIB_FRONTEND_ONNX_HEADS_H
#define QOPT_LIB_FRONTEND_ONNX_HEADS_H

#include "Emitter.h"

namespace qopt {

inline mlir::Value splitHeads(Emitter &e, mlir::Value x, int64_t heads) {
  int64_t width = dimOf(x, 2);
  int64_t size = width != dynamicDim && heads > 0 && width % heads == 0 ? width / heads : -1;
  return e.transpose(e.reshape(x, {0, 0, heads, size}), {0, 2, 1, 3});
}

inline mlir::Value mergeHeads(Emitter &e, mlir::Value x) {
  int64_t heads = dimOf(x, 1), size = dimOf(x, 3);
  int64_t width = heads == dynamicDim || size == dynamicDim ? -1 : heads * size;
  return e.reshape(e.transpose(x, {0, 2, 1, 3}), {0, 0, width});
}

inline mlir::Value appendPast(Emitter &e, mlir::Value past, mlir::Value fresh) {
  return past ? e.concat({past, fresh}, 2) : fresh;
}

inline mlir::Value both(Emitter &e, mlir::Value a, mlir::Value b) {
  return !a ? b : !b ? a : e.binary("and", a, b);
}

} // namespace qopt

#endif // QOPT_LIB_FRONTEND_ONNX_HEADS_H
