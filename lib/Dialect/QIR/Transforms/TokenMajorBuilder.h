//===- TokenMajorBuilder.h - Rewrites a batch-major function op by op -------------------------===//
// The engine of qir-convert-to-token-major. It walks the imported function once, in order, and
// keeps for every value that depends on token data what it is: features of tokens under some
// layout, attention scores, probabilities, cached keys. Layout ops rewrite the description,
// computing ops emit one token-major op. Values that depend only on shapes, masks and positions
// ("auxiliary") are not rewritten; their data is taken from the probe runs where something consumes
// them.
//
// Contract: convert() appends to `target`, or returns failure with the op and the reason in
// `failedOp` and `reason`; the caller then throws the new function away.
#ifndef QOPT_LIB_DIALECT_QIR_TRANSFORMS_TOKENMAJORBUILDER_H
#define QOPT_LIB_DIALECT_QIR_TRANSFORMS_TOKENMAJORBUILDER_H

#include "FeatureMap.h"
#include "ProbeRuns.h"
#include "TokenLayout.h"

#include "qopt/Dialect/QIR/IR/QIROps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

#include <map>
#include <memory>

namespace qopt::qir::raise {

/// Scores q k^T while they are scaled, capped and masked, up to the softmax.
struct Scores;

struct TokenValue {
  enum class Kind {
    Ids,           // token ids
    Features,      // features of the new tokens
    Past,          // cached keys or values: a function argument
    Cached,        // cache followed by new tokens; described by the new tokens' features
    Scores,        // before softmax
    Probabilities, // after softmax
    NanTest,       // is_nan(probabilities)
  };
  Kind kind = Kind::Features;
  Layout layout;
  mlir::Value base; // [tokens, width] in the new function
  int64_t width = 0;
  std::shared_ptr<const FeatureMap> map; // null: the features of base themselves
  double scale = 1;                      // pending factor
  int past = -1;                         // Past, Cached: which function argument
  std::shared_ptr<const Scores> scores;
  bool lastOnly = false; // rows of all but the last token were dropped
};

struct Scores {
  TokenValue q, k;
  std::vector<int64_t> qOffsets, kOffsets; // per head: offset of its first feature
  std::vector<int64_t> qInner, kInner;     // offsets of the features within a head
  double scale = 1;
  double softcap = 0;
  double pendingTanh = 0; // argument scale of tanh(scores * pendingTanh) that waits for its factor
  bool causal = false;    // the op itself masks, bottom-right aligned
  std::vector<std::shared_ptr<const std::vector<std::vector<uint8_t>>>> masks; // [run][S*T]
};

class TokenMajorBuilder {
public:
  TokenMajorBuilder(mlir::func::FuncOp source, mlir::func::FuncOp target, const ProbeRuns &runs);

  mlir::LogicalResult convert();

  mlir::Operation *failedOp = nullptr;
  std::string reason;
  bool rotationFailed = false; // the reason is a rotation that does not fit
  llvm::SmallVector<std::string> remarks;

private:
  using Kind = TokenValue::Kind;
  mlir::LogicalResult fail(mlir::Operation *op, const llvm::Twine &why);
  mlir::LogicalResult convertOp(mlir::Operation *op);
  mlir::LogicalResult finish(mlir::func::ReturnOp op);
  mlir::LogicalResult checkCaches(mlir::func::ReturnOp op, unsigned logits);

  // TokenMajorShapes.cpp
  mlir::LogicalResult convertReshape(mlir::Operation *op, const TokenValue &x);
  mlir::LogicalResult convertExpand(mlir::Operation *op, const TokenValue &x);
  mlir::LogicalResult convertTranspose(TransposeOp op, const TokenValue &x);
  mlir::LogicalResult convertConcat(ConcatOp op);
  mlir::LogicalResult convertSplit(SplitOp op, const TokenValue &x);
  mlir::LogicalResult convertSlice(SliceOp op, const TokenValue &x);
  mlir::LogicalResult convertGather(GatherOp op);
  /// x with only `indices` of dimension `dim`; the dimension is dropped if `drop`.
  mlir::LogicalResult select(mlir::Operation *op, mlir::Value result, const TokenValue &x,
                             size_t dim, llvm::ArrayRef<int64_t> indices, bool drop);
  mlir::LogicalResult selectToken(mlir::Operation *op, mlir::Value result, const TokenValue &x,
                                  size_t dim, bool drop);

  // TokenMajorElementwise.cpp
  mlir::LogicalResult convertBinary(mlir::Operation *op);
  mlir::LogicalResult convertTokenPair(mlir::Operation *op, const TokenValue &a,
                                       const TokenValue &b);
  mlir::LogicalResult convertWithAuxiliary(mlir::Operation *op, const TokenValue &x,
                                           mlir::Value other, bool otherFirst);
  mlir::LogicalResult convertUnary(mlir::Operation *op, const TokenValue &x);

  // TokenMajorRotation.cpp
  mlir::LogicalResult convertRotation(RotaryEmbeddingOp op, const TokenValue &x);

  // TokenMajorLinear.cpp
  mlir::LogicalResult convertLinear(mlir::Operation *op, const TokenValue &x);
  mlir::LogicalResult convertNorm(mlir::Operation *op, const TokenValue &x);

  // TokenMajorEmbedding.cpp
  mlir::LogicalResult convertEmbedding(mlir::Operation *op);
  mlir::LogicalResult addPositions(mlir::Operation *op, const TokenValue &x, mlir::Value other);

  // TokenMajorAttention.cpp
  mlir::LogicalResult convertMatmul(MatmulOp op);
  mlir::LogicalResult convertSdpa(SdpaOp op);
  mlir::LogicalResult convertSoftmax(SoftmaxOp op, const TokenValue &x);
  mlir::LogicalResult convertScoresBinary(mlir::Operation *op, const TokenValue &x,
                                          mlir::Value other, bool otherFirst);
  mlir::LogicalResult makeScores(mlir::Operation *op, const TokenValue &q, const TokenValue &k,
                                 size_t kFeatureDim, size_t kKeyDim, Scores &scores,
                                 Layout &layout);
  mlir::LogicalResult emitAttention(mlir::Operation *op, const Scores &scores,
                                    const Layout &scoreLayout, const TokenValue &v, size_t vKeyDim,
                                    size_t vFeatureDim);

  // TokenMajorMask.cpp
  mlir::LogicalResult convertWhere(WhereOp op);
  mlir::LogicalResult addMask(mlir::Operation *op, Scores &scores, const Layout &layout,
                              mlir::Value mask, bool invert);
  mlir::LogicalResult classifyMask(mlir::Operation *op, const Scores &scores, int64_t &window);

  // TokenMajorEmit.cpp
  /// The features at `offsets` of the value's feature space, as a [tokens, n] tensor.
  mlir::FailureOr<mlir::Value> materialize(mlir::Operation *op, const TokenValue &x,
                                           llvm::ArrayRef<int64_t> offsets);
  /// All features in row-major order of the layout.
  mlir::FailureOr<mlir::Value> materialize(mlir::Operation *op, const TokenValue &x) {
    return materialize(op, x, x.layout.offsets());
  }
  mlir::Value selectColumns(mlir::Location loc, mlir::Value base, llvm::ArrayRef<int64_t> columns);
  mlir::Value constantF32(mlir::Location loc, llvm::ArrayRef<float> values,
                          llvm::ArrayRef<int64_t> shape);
  mlir::Value constantI64(mlir::Location loc, llvm::ArrayRef<int64_t> values);
  mlir::RankedTensorType rowsType(int64_t width);
  /// The same op, attributes included, on token-major operands.
  mlir::Operation *cloneWith(mlir::Operation *op, mlir::ValueRange operands, mlir::Type type);
  /// A weight of the source function, cloned into the target; null if it is not a constant.
  mlir::Value cloneConstant(mlir::Value value);
  /// `other` as one factor per feature of `x` in row-major order (or a single scalar); failure if
  /// it depends on the token or broadcasts x.
  mlir::FailureOr<std::vector<float>> featureRow(const TokenValue &x, mlir::Value other);
  /// Tables of `other` for every feature of x in row-major order.
  mlir::FailureOr<std::vector<int32_t>> featureTables(mlir::Operation *op, const TokenValue &x,
                                                      mlir::Value other);
  bool sameShape(mlir::Value a, mlir::Value b) const;

  const TokenValue *find(mlir::Value value) const;
  void set(mlir::Value value, TokenValue token) { tokens_[value] = std::move(token); }
  /// Sets a value of Kind::Features that is a newly emitted tensor under `layout`, renumbered.
  void setEmitted(mlir::Value value, mlir::Value emitted, Layout layout, bool lastOnly);
  std::vector<Shape> shapesOf(mlir::Value value) const;

  mlir::func::FuncOp source_, target_;
  const ProbeRuns &runs_;
  mlir::OpBuilder builder_;
  mlir::Value ids_, positions_;
  llvm::DenseMap<mlir::Value, TokenValue> tokens_;
  llvm::DenseMap<mlir::Value, mlir::Value> constants_;
  Tables tables_;
  std::map<std::string, int32_t> tableMemo_;
  std::map<std::string, mlir::Value> emitMemo_;
  std::map<std::string, std::shared_ptr<const std::vector<std::vector<uint8_t>>>> maskMemo_;
  llvm::SmallVector<std::pair<int, int>> caches_; // key and value argument of every attention
};

} // namespace qopt::qir::raise

#endif // QOPT_LIB_DIALECT_QIR_TRANSFORMS_TOKENMAJORBUILDER_H
