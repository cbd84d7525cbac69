//===- WeightStore.cpp - Bytes of weight constants -------------------------------------------===//
// Wraps the blob manager of the builtin dialect; see the header for the contract.
#include "qopt/Support/WeightStore.h"

#include "SpilledBlobs.h"

#include "Support/PageMemory.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinDialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/CheckedArithmetic.h"

#include <cstring>

using namespace mlir;

namespace qopt {

static constexpr int64_t maxDenseElements = 64;
static constexpr size_t blobAlignment = 64;

static size_t elementBytes(Type type) {
  return std::max<size_t>(1, type.getIntOrFloatBitWidth() / 8);
}

static ElementsAttr wrapBlob(RankedTensorType type, StringRef name, AsmResourceBlob blob) {
  auto &manager = DenseResourceElementsHandle::getManagerInterface(type.getContext());
  return DenseResourceElementsAttr::get(type, manager.insert(name, std::move(blob)));
}

FailureOr<size_t> WeightStore::byteSize(ShapedType type) {
  if (!type.hasStaticShape())
    return failure();
  uint64_t count = elementBytes(type.getElementType());
  for (int64_t dim : type.getShape()) {
    std::optional<uint64_t> product = llvm::checkedMulUnsigned(count, uint64_t(dim));
    if (!product)
      return failure();
    count = *product;
  }
  return size_t(count);
}

ElementsAttr WeightStore::insertBorrowed(RankedTensorType type, StringRef name,
                                         ArrayRef<char> bytes, std::shared_ptr<const void> owner) {
  FailureOr<size_t> size = byteSize(type);
  if (failed(size) || *size != bytes.size())
    return {};
  size_t alignment = elementBytes(type.getElementType());
  if (reinterpret_cast<uintptr_t>(bytes.data()) % alignment != 0)
    return insertCopy(type, name, bytes);
  AsmResourceBlob blob(
      bytes, alignment, [owner = std::move(owner)](void *, size_t, size_t) {},
      /*dataIsMutable=*/false);
  return wrapBlob(type, name, std::move(blob));
}

ElementsAttr WeightStore::insertCopy(RankedTensorType type, StringRef name, ArrayRef<char> bytes) {
  FailureOr<size_t> size = byteSize(type);
  if (failed(size) || *size != bytes.size())
    return {};
  if (type.getNumElements() <= maxDenseElements) {
    if (!type.getElementType().isInteger(1))
      return DenseElementsAttr::getFromRawBuffer(type, bytes);
    SmallVector<bool> bits;
    for (char byte : bytes)
      bits.push_back(byte != 0);
    return DenseElementsAttr::get(type, ArrayRef<bool>(bits));
  }
  return wrapBlob(type, name, HeapAsmResourceBlob::allocateAndCopyWithAlign(bytes, blobAlignment));
}

ElementsAttr WeightStore::allocate(RankedTensorType type, StringRef name,
                                   MutableArrayRef<char> &data) {
  FailureOr<size_t> size = byteSize(type);
  if (failed(size))
    return {};
  if (char *spilled = SpilledBlobs::instance().allocate(*size)) {
    data = MutableArrayRef<char>(spilled, *size);
    return wrapBlob(type, name,
                    AsmResourceBlob(
                        data, blobAlignment,
                        [](void *bytes, size_t, size_t) {
                          SpilledBlobs::instance().free(static_cast<char *>(bytes));
                        },
                        /*dataIsMutable=*/true));
  }
  if (*size >= qrt::hugePageBytes) {
    // Zeroed by the system when a page is first touched, by whichever thread that is.
    if (auto pages = std::make_shared<qrt::PageMemory>(*size); pages->data()) {
      data = MutableArrayRef<char>(pages->data(), *size);
      return wrapBlob(type, name,
                      AsmResourceBlob(
                          data, blobAlignment,
                          [pages](void *, size_t bytes, size_t) mutable {
                            pages.reset();
                            SpilledBlobs::instance().heapFreed(bytes);
                          },
                          /*dataIsMutable=*/true));
    }
  }
  AsmResourceBlob heap = HeapAsmResourceBlob::allocate(*size, blobAlignment);
  data = heap.getMutableData();
  std::memset(data.data(), 0, data.size());
  auto owner = std::make_shared<AsmResourceBlob>(std::move(heap));
  return wrapBlob(type, name,
                  AsmResourceBlob(
                      data, blobAlignment,
                      [owner](void *, size_t bytes, size_t) mutable {
                        owner.reset();
                        SpilledBlobs::instance().heapFreed(bytes);
                      },
                      /*dataIsMutable=*/true));
}

FailureOr<ArrayRef<char>> WeightStore::bytes(ElementsAttr value, SmallVectorImpl<char> &scratch) {
  auto type = cast<ShapedType>(value.getType());
  FailureOr<size_t> size = byteSize(type);
  if (failed(size))
    return failure();
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob || blob->getData().size() != *size)
      return failure();
    SpilledBlobs::instance().touch(blob->getData().data(), *size);
    return blob->getData();
  }
  auto dense = dyn_cast<DenseElementsAttr>(value);
  if (!dense)
    return failure();
  if (type.getElementType().isInteger(1)) { // bit-packed in some versions: never look inside
    scratch.clear();
    for (bool bit : dense.getValues<bool>())
      scratch.push_back(bit);
    return ArrayRef<char>(scratch);
  }
  ArrayRef<char> raw = dense.getRawData();
  if (!dense.isSplat() || raw.size() == *size) {
    if (raw.size() != *size)
      return failure();
    return raw;
  }
  scratch.clear();
  scratch.reserve(*size);
  while (scratch.size() < *size)
    scratch.append(raw.begin(), raw.end());
  return ArrayRef<char>(scratch);
}

void WeightStore::replace(qir::ConstantOp op, ElementsAttr value, bool releaseOld) {
  ElementsAttr old = op.getValue();
  op.setValueAttr(value);
  op.getResult().setType(cast<TensorType>(value.getType()));
  if (releaseOld && old != value)
    release(old);
}

void WeightStore::release(ElementsAttr value) {
  auto resource = dyn_cast<DenseResourceElementsAttr>(value);
  if (!resource)
    return;
  auto &manager = DenseResourceElementsHandle::getManagerInterface(value.getContext());
  manager.update(resource.getRawHandle().getKey(), AsmResourceBlob());
}

} // namespace qopt
