//===- MemoryNeed.cpp - Is there room for what comes next? -----------------------------------===//
// Imported weights are mapped and cost nothing that cannot be dropped; codes and packed matrices
// are owned. Asked before the allocations, so that a large model on a small machine gets a message.
#include "qopt/Dialect/QIR/IR/QIRDialect.h"
#include "qopt/Dialect/QIR/IR/QIROps.h"
#include "qopt/Pipelines/Compiler.h"
#include "qopt/Support/SpillPolicy.h"

#include "Support/Memory.h"

using namespace mlir;

namespace qopt {

static int64_t elementsOf(Value weight) {
  auto type = dyn_cast<RankedTensorType>(weight.getType());
  return type && type.hasStaticShape() ? type.getNumElements() : 0;
}

qrt::Status Compiler::checkRotationMemory() {
  if (!options.scheme.rotation.any())
    return qrt::Status::ok();
  int64_t needed = 0, largest = 0;
  module->walk([&](Operation *op) {
    Value weight;
    if (auto linear = dyn_cast<qir::LinearOp>(op))
      weight = linear.getW();
    else if (auto embedding = dyn_cast<qir::EmbeddingOp>(op))
      weight = embedding.getTable();
    const int64_t bytes = weight ? elementsOf(weight) * 4 : 0;
    needed += bytes;
    largest = std::max(largest, bytes);
  });
  needed += largest; // the one in the making
  const int64_t free = qrt::availableMemory();
  if (needed <= free)
    return qrt::Status::ok();
  return qrt::resourceExhausted(
      "rotated weights, which are f32 until they are quantized, need about " +
      qrt::formatBytes(needed) + ", only " + qrt::formatBytes(free) + " are free");
}

qrt::Status Compiler::checkMemory() {
  // All codes live until they are written, one byte each; one matrix at a time is packed, at most
  // as f32.
  int64_t codes = 0, largest = 0;
  llvm::DenseSet<std::pair<Value, Attribute>> seen;
  module->walk([&](Operation *op) {
    Value weight;
    qir::SchemeAttr scheme;
    if (auto linear = dyn_cast<qir::LinearOp>(op))
      weight = linear.getW(), scheme = linear.getSchemeAttr();
    else if (auto embedding = dyn_cast<qir::EmbeddingOp>(op))
      weight = embedding.getTable(), scheme = embedding.getSchemeAttr();
    if (!weight || !seen.insert({weight, scheme}).second)
      return;
    bool quantized = scheme && scheme.isInt();
    codes += quantized ? elementsOf(weight) : 0;
    const int packedBytes = !quantized ? 4 : op->hasAttr(qir::alternateAttr) ? 2 : 1;
    largest = std::max(largest, elementsOf(weight) * packedBytes);
  });
  // Codes past the policy's share go to a file.
  const int64_t needed = std::min(codes, spillPolicy().heapBytes) + largest,
                free = qrt::availableMemory();
  if (needed <= free)
    return qrt::Status::ok();
  return qrt::resourceExhausted("quantizing and packing the weights needs about " +
                                qrt::formatBytes(needed) + ", only " + qrt::formatBytes(free) +
                                " are free");
}

} // namespace qopt
