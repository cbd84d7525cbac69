//===- ForwardLinear.cpp - Embeddings and linears on the f32 kernels -------------------------===//
#include "ForwardBinder.h"

#include "kernels/cpu/linear/linear.h"

using namespace mlir;
using namespace qrt::kernels;
using qrt::Status;

namespace qopt::calibration {

namespace {

/// A weight in the layout of the dense kernel.
struct PackedWeight {
  WeightView view;
  std::unique_ptr<void, void (*)(void *)> memory{nullptr, std::free};
};

std::shared_ptr<PackedWeight> pack(const WeightMatrix &matrix) {
  auto packed = std::make_shared<PackedWeight>();
  packed->view.desc = {WeightFormat::F32, matrix.n, matrix.k};
  qrt::Result<PackedSizes> sizes = packedSizes(packed->view.desc);
  if (!sizes)
    return nullptr;
  packed->memory.reset(std::aligned_alloc(64, (sizes->data + 63) / 64 * 64));
  if (!packed->memory)
    throw std::bad_alloc();
  packDense(packed->view.desc, matrix.values.data(), packed->memory.get());
  packed->view.data = packed->memory.get();
  return packed;
}

} // namespace

BoundOp ForwardBinder::bindEmbedding(Operation *op, int64_t offset, Value ids) {
  const int index = in(llvm::find(op->getOperands(), ids).getIndex()), to = out();
  if (index != idsSlot && index != positionsSlot)
    return refuse("of something else than ids and positions");
  auto table = std::make_shared<TableRows>();
  if (!readTable(op, *table))
    return refuse("with a table that is no readable constant");
  return [=](Chunk &chunk) -> Status {
    const std::vector<int32_t> &rows = index == idsSlot ? chunk.ids : chunk.positions;
    for (int64_t t = 0; t < chunk.tokens; ++t) {
      const int64_t row = rows[t] + offset;
      if (row < 0 || row >= table->n)
        return qrt::invalidArgument((index == idsSlot ? "token id " : "position ") +
                                    std::to_string(rows[t]) + " is outside the embedding of " +
                                    std::to_string(table->n) + " rows");
      table->read(row, chunk.values[to] + t * table->k);
    }
    return Status::ok();
  };
}

/// The runtime's product with a packed weight; `weight` owns its `view`.
template <class Owner>
static BoundOp packedLinear(int from, int to, std::shared_ptr<Owner> weight,
                            std::shared_ptr<std::vector<float>> bias, Activation activation) {
  return [=](Chunk &chunk) {
    LinearArgs args;
    args.dst = chunk.values[to];
    args.dstStride = weight->view.desc.n;
    args.src = chunk.values[from];
    args.srcStride = weight->view.desc.k;
    args.m = chunk.tokens;
    args.weight = weight->view;
    args.bias = bias->empty() ? nullptr : bias->data();
    args.activation = activation;
    return linear(chunk.pool, args, chunk.workspace);
  };
}

BoundOp ForwardBinder::bindLinear(const WeightMatrix &matrix, Value biasValue) {
  if (!activations({0}))
    return refuse("of something else than an activation");
  auto bias = std::make_shared<std::vector<float>>(constantFloats(biasValue));
  if (biasValue && static_cast<int64_t>(bias->size()) != matrix.n)
    return refuse("with a bias that is not constant");
  if (slots.products)
    return bindDeviceLinear(matrix, *bias);
  std::shared_ptr<PackedWeight> weight = pack(matrix);
  if (!weight)
    return refuse("with a weight of an impossible size");
  return packedLinear(in(0), out(), weight, bias, LinearArgs().activation);
}

/// As the runtime computes it.
BoundOp ForwardBinder::bindPacked(std::shared_ptr<PackedCodes> codes, Value biasValue) {
  if (!activations({0}))
    return refuse("of something else than an activation");
  auto bias = std::make_shared<std::vector<float>>(constantFloats(biasValue));
  if (biasValue && static_cast<int64_t>(bias->size()) != codes->view.desc.n)
    return refuse("with a bias that is not constant");
  const bool few = slots.arithmetic == SweepArithmetic::A8 &&
                   weightBits(codes->view.desc.format) <= 4; // else it would be the larger error
  return packedLinear(in(0), out(), codes, bias, few ? Activation::A8 : Activation::A16);
}

BoundOp ForwardBinder::bindDeviceLinear(const WeightMatrix &matrix,
                                        const std::vector<float> &bias) {
  const int from = in(0), to = out();
  auto weight = slots.products->upload(matrix.values, matrix.n, matrix.k, bias);
  if (!weight) // no reason to call the op unsupported: told when it runs
    return [error = weight.status()](Chunk &) { return error; };
  return [=, linear = *weight](Chunk &chunk) {
    return linear->multiply(chunk.values[from], chunk.tokens, chunk.values[to]);
  };
}

} // namespace qopt::calibration
