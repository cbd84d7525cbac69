//===- ShareWeights.cpp - Stores equal weights once -------------------------------------------===//
// Candidates are grouped by type and a 64-bit hash of their bytes, then compared byte by byte.
#include "qopt/Dialect/QIR/Transforms/Passes.h"
#include "qopt/Support/WeightStore.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/Support/xxhash.h"

namespace qopt::qir {
#define GEN_PASS_DEF_SHAREWEIGHTS
#include "qopt/Dialect/QIR/Transforms/Passes.h.inc"
} // namespace qopt::qir

using namespace mlir;
using namespace qopt;
using namespace qopt::qir;

namespace {

/// Smaller constants are not worth a name in a report.
constexpr int64_t kSmallestShared = 256;

struct ShareWeightsPass : qopt::qir::impl::ShareWeightsBase<ShareWeightsPass> {
  using Base::Base;

  void runOnOperation() override {
    llvm::MapVector<std::pair<Type, uint64_t>, SmallVector<ConstantOp>> groups;
    getOperation()->walk([&](ConstantOp op) {
      auto type = cast<RankedTensorType>(op.getType());
      if (type.getRank() != 2 || type.getNumElements() < kSmallestShared)
        return;
      SmallVector<char> scratch;
      FailureOr<ArrayRef<char>> bytes = WeightStore::bytes(op, scratch);
      if (failed(bytes))
        return;
      ArrayRef<uint8_t> raw(reinterpret_cast<const uint8_t *>(bytes->data()), bytes->size());
      groups[{type, llvm::xxh3_64bits(raw)}].push_back(op);
    });
    for (auto &[key, constants] : groups)
      for (size_t i = 1; i < constants.size(); ++i)
        if (equal(constants[0], constants[i]))
          merge(constants[0], constants[i]);
  }

  static bool equal(ConstantOp a, ConstantOp b) {
    SmallVector<char> scratchA, scratchB;
    FailureOr<ArrayRef<char>> bytesA = WeightStore::bytes(a, scratchA);
    FailureOr<ArrayRef<char>> bytesB = WeightStore::bytes(b, scratchB);
    return succeeded(bytesA) && succeeded(bytesB) && *bytesA == *bytesB;
  }

  /// Uses of `other` go to `kept`, which stands first in the block.
  static void merge(ConstantOp kept, ConstantOp other) {
    Builder builder(kept.getContext());
    SmallVector<Attribute> aliases;
    if (auto known = kept->getAttrOfType<ArrayAttr>("qir.aliases"))
      aliases.append(known.begin(), known.end());
    auto add = [&](StringRef name, bool transposed) {
      if (auto own = dyn_cast<NameLoc>(kept.getLoc()))
        if (own.getName() == name)
          return;
      aliases.push_back(builder.getDictionaryAttr(
          {builder.getNamedAttr("name", builder.getStringAttr(name)),
           builder.getNamedAttr("transposed", builder.getBoolAttr(transposed))}));
    };
    if (auto name = dyn_cast<NameLoc>(other.getLoc()))
      add(name.getName(), other->hasAttr("qir.transposed"));
    if (auto more = other->getAttrOfType<ArrayAttr>("qir.aliases"))
      aliases.append(more.begin(), more.end());
    if (!aliases.empty())
      kept->setAttr("qir.aliases", builder.getArrayAttr(aliases));
    if (other->getBlock() == kept->getBlock() && other->isBeforeInBlock(kept))
      kept->moveBefore(other);
    ElementsAttr value = other.getValue();
    // Turned copies belong to raising. Blobs of the importer stay: the imported graph, kept for the
    // comparison with the raised one, reads them too, and they borrow the mapped file.
    bool ownBlob = value != kept.getValue() && other->hasAttr("qir.transposed");
    other.replaceAllUsesWith(kept.getResult());
    other.erase();
    if (ownBlob)
      WeightStore::release(value);
  }
};

} // namespace
