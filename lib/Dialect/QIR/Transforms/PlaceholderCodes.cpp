//===- PlaceholderCodes.cpp - Quantized ops without their codes ------------------------------===//
#include "qopt/Dialect/QIR/Transforms/PlaceholderCodes.h"

#include "qopt/Dialect/QIR/IR/Outliers.h"
#include "qopt/Dialect/QIR/Transforms/CodedWeights.h"
#include "qopt/Quantization/SparseOutliers.h"
#include "qopt/Support/WeightStore.h"

#include <memory>
#include <sys/mman.h>

using namespace mlir;

namespace qopt::qir {

namespace {

/// Zeros for constants of any size; pages that nobody reads do not exist.
class ZeroPages {
public:
  ~ZeroPages() {
    if (base)
      munmap(base, size);
  }
  static std::shared_ptr<ZeroPages> create(size_t size) {
    auto pages = std::make_shared<ZeroPages>();
    void *base = mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
      return nullptr;
    pages->base = base;
    pages->size = size;
    return pages;
  }
  ArrayRef<char> bytes(size_t count) const { return {static_cast<const char *>(base), count}; }

private:
  void *base = nullptr;
  size_t size = 0;
};

class Placeholders {
public:
  explicit Placeholders(func::FuncOp function) : function(function) {}

  qrt::Status run() {
    SmallVector<Operation *> ops;
    int64_t largest = 1;
    function.walk([&](Operation *op) {
      if (!schemeOf(op).isInt())
        return;
      ops.push_back(op);
      auto type = dyn_cast<RankedTensorType>(weightOf(op).getType());
      if (type && type.hasStaticShape())
        // Scales of f16, one per weight, or the rows of outliers.
        largest = std::max({largest, 2 * type.getNumElements(), 4 * (type.getDimSize(0) + 1)});
    });
    pages = ZeroPages::create(static_cast<size_t>(largest));
    if (!pages)
      return qrt::resourceExhausted("the system refuses an address range of " +
                                    std::to_string(largest) + " bytes");
    for (Operation *op : ops)
      QRT_RETURN_IF_ERROR(replace(op));
    return qrt::Status::ok();
  }

private:
  static Value weightOf(Operation *op) {
    return isa<LinearOp>(op) ? op->getOperand(1) : op->getOperand(0);
  }

  qrt::Status replace(Operation *op) {
    auto constant = weightOf(op).getDefiningOp<ConstantOp>();
    if (!constant)
      return qrt::invalidArgument("a weight with an integer scheme is not constant");
    SchemeAttr scheme = schemeOf(op);
    CodedWeight weight;
    const double share = outlierShare(op);
    auto key = std::pair<Operation *, Attribute>(constant, scheme);
    if (auto it = shared.find(key); it != shared.end() && !isCalibrated(op)) {
      weight = it->second;
    } else {
      weight = make(constant, scheme);
      if (!isCalibrated(op)) // those are quantized one by one, whatever they share
        shared[key] = weight;
    }
    Operation *quantized = replaceByQuantized(op, weight);
    quantized->removeAttr(outlierShareAttr);
    if (share > 0)
      addOutliers(constant, share, quantized);
    return qrt::Status::ok();
  }

  CodedWeight make(ConstantOp constant, SchemeAttr scheme) {
    OpBuilder builder(constant);
    auto type = cast<RankedTensorType>(constant.getType());
    const int64_t n = type.getDimSize(0), k = type.getDimSize(1);
    const int64_t groups = scheme.getGroupSize() ? llvm::divideCeil(k, scheme.getGroupSize()) : 1;
    auto add = [&](int64_t columns, Type element) -> Value {
      auto part = RankedTensorType::get({n, columns}, element);
      ElementsAttr value = WeightStore::insertBorrowed(
          part, "placeholder", pages->bytes(*WeightStore::byteSize(part)), pages);
      auto made = ConstantOp::create(builder, constant->getLoc(), part, value);
      made->setDiscardableAttrs(constant->getDiscardableAttrDictionary());
      return made;
    };
    Type byte = builder.getIntegerType(8, /*isSigned=*/false);
    CodedWeight weight{add(k, byte), add(groups, builder.getF16Type()), {}, 0.5};
    if (!scheme.getSymmetric())
      weight.zeroPoints = add(groups, byte);
    return weight;
  }

  void addOutliers(ConstantOp constant, double share, Operation *quantized) {
    Builder builder(constant);
    auto type = cast<RankedTensorType>(constant.getType());
    const int64_t n = type.getDimSize(0);
    const int64_t count = quantization::outlierCount(share, n, type.getDimSize(1));
    auto zeros = [&](int64_t length, Type element) -> Attribute {
      auto part = RankedTensorType::get({length}, element);
      return WeightStore::insertBorrowed(part, "placeholder",
                                         pages->bytes(*WeightStore::byteSize(part)), pages);
    };
    quantized->setAttr(
        outliersAttr,
        builder.getArrayAttr({zeros(n + 1, builder.getI32Type()),
                              zeros(count, builder.getIntegerType(16, /*isSigned=*/false)),
                              zeros(count, builder.getF16Type())}));
  }

  func::FuncOp function;
  std::shared_ptr<ZeroPages> pages;
  llvm::DenseMap<std::pair<Operation *, Attribute>, CodedWeight> shared;
};

} // namespace

qrt::Status putPlaceholderCodes(func::FuncOp function) { return Placeholders(function).run(); }

} // namespace qopt::qir
