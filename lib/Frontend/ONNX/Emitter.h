//===- Emitter.h - qir ops with inferred result types -----------------------------------------===//
// One method per low-half op: builds it and infers its result type as far as operand types and
// constants tell. Unknown dimensions stay dynamic (abstract evaluation fills them in later). Axes
// may be negative where the rank is known. Methods never fail: what does not fit is caught by the
// op verifiers. Callers check ranks with `rankOf` where an algorithm needs them.
#ifndef QOPT_LIB_FRONTEND_ONNX_EMITTER_H
#define QOPT_LIB_FRONTEND_ONNX_EMITTER_H

#include "qopt/Dialect/QIR/IR/QIROps.h"

#include "mlir/IR/Builders.h"

#include <optional>

namespace qopt {

using Ints = llvm::SmallVector<int64_t>;
using Shape = std::optional<llvm::SmallVector<int64_t>>; // nullopt: unknown rank

constexpr int64_t dynamicDim = mlir::ShapedType::kDynamic;

Shape shapeOf(mlir::Value value);
mlir::Type elementOf(mlir::Value value);
/// -1 if unknown.
int64_t rankOf(mlir::Value value);
/// Dimension `axis` (may be negative), or dynamicDim.
int64_t dimOf(mlir::Value value, int64_t axis);
mlir::TensorType tensorOf(const Shape &shape, mlir::Type element);
Shape broadcastShapes(const Shape &a, const Shape &b);
/// Elements of an integer value that is known now: constants and simple arithmetic on them.
std::optional<Ints> constantInts(mlir::Value value, int depth = 0);

class Emitter {
public:
  Emitter(mlir::OpBuilder &builder, mlir::Location loc) : builder(builder), loc(loc) {}

  mlir::OpBuilder &builder;
  mlir::Location loc;

  mlir::MLIRContext *context() const { return builder.getContext(); }
  /// Any single-result op by mnemonic.
  mlir::Value op(llvm::StringRef mnemonic, mlir::ValueRange operands, mlir::Type result,
                 llvm::ArrayRef<mlir::NamedAttribute> attributes = {});
  mlir::NamedAttribute i64(llvm::StringRef name, int64_t value);
  mlir::NamedAttribute f64(llvm::StringRef name, double value);
  mlir::NamedAttribute str(llvm::StringRef name, llvm::StringRef value);
  mlir::NamedAttribute ints(llvm::StringRef name, llvm::ArrayRef<int64_t> values);

  // Constants.
  mlir::Value intVector(llvm::ArrayRef<int64_t> values); // i64 [n]
  mlir::Value intScalar(int64_t value);                  // i64 []
  mlir::Value scalar(double value, mlir::Type element);  // []

  // Elementwise.
  mlir::Value unary(llvm::StringRef mnemonic, mlir::Value x,
                    llvm::ArrayRef<mlir::NamedAttribute> attributes = {});
  mlir::Value binary(llvm::StringRef mnemonic, mlir::Value a, mlir::Value b,
                     llvm::ArrayRef<mlir::NamedAttribute> attributes = {});
  mlir::Value compare(llvm::StringRef mnemonic, mlir::Value a, mlir::Value b);
  mlir::Value add(mlir::Value a, mlir::Value b) { return binary("add", a, b); }
  mlir::Value sub(mlir::Value a, mlir::Value b) { return binary("sub", a, b); }
  mlir::Value mul(mlir::Value a, mlir::Value b) { return binary("mul", a, b); }
  mlir::Value where(mlir::Value condition, mlir::Value a, mlir::Value b);
  mlir::Value cast(mlir::Value x, mlir::Type element); // x itself if it has that type
  mlir::Value toInt64(mlir::Value x) { return cast(x, builder.getI64Type()); }

  // Shapes.
  mlir::Value shapeVector(mlir::Value x, int64_t start = 0, std::optional<int64_t> end = {});
  mlir::Value dim(mlir::Value x, int64_t axis); // i64 [1]
  mlir::Value reshape(mlir::Value x, mlir::Value shape, bool allowZero = false);
  mlir::Value reshape(mlir::Value x, llvm::ArrayRef<int64_t> shape); // 0 copies, -1 infers
  mlir::Value transpose(mlir::Value x, llvm::ArrayRef<int64_t> perm);
  mlir::Value unsqueeze(mlir::Value x, llvm::ArrayRef<int64_t> axes);
  mlir::Value squeeze(mlir::Value x, llvm::ArrayRef<int64_t> axes);
  mlir::Value expand(mlir::Value x, mlir::Value shape);
  mlir::Value concat(mlir::ValueRange inputs, int64_t axis);
  llvm::SmallVector<mlir::Value> split(mlir::Value x, int64_t axis, llvm::ArrayRef<int64_t> sizes);
  mlir::Value slice(mlir::Value x, mlir::Value starts, mlir::Value ends,
                    llvm::ArrayRef<int64_t> axes, llvm::ArrayRef<int64_t> steps);
  mlir::Value gather(mlir::Value x, mlir::Value indices, int64_t axis);
  mlir::Value range(mlir::Value start, mlir::Value limit, mlir::Value delta);
  /// 0, 1, ... n - 1 for an i64 [1] value.
  mlir::Value countTo(mlir::Value n);

  // Arithmetic.
  mlir::Value matmul(mlir::Value a, mlir::Value b);
  mlir::Value reduce(llvm::StringRef mnemonic, mlir::Value x, llvm::ArrayRef<int64_t> axes,
                     bool keepDims);
  mlir::Value rmsNorm(mlir::Value x, mlir::Value weight, double epsilon);
  mlir::Value layerNorm(mlir::Value x, mlir::Value weight, mlir::Value bias, double epsilon);
  mlir::Value rotary(mlir::Value x, mlir::Value cos, mlir::Value sin, bool interleaved);
  mlir::Value sdpa(mlir::Value q, mlir::Value k, mlir::Value v, mlir::Value mask, double scale,
                   double softcap, bool causal);
};

} // namespace qopt

#endif // QOPT_LIB_FRONTEND_ONNX_EMITTER_H
