//===- VerifyAttention.cpp - Operands of rotations by position and of attention: R27 ---------===//
#include "Format/OperandVerifier.h"

namespace qrt {

Status OperandVerifier::verifyRope() {
  int64_t half = 0;
  QRT_RETURN_IF_ERROR(needActivation(0));
  if (in(1).kind != ValueKind::Positions)
    return kindError(1, "positions");
  QRT_RETURN_IF_ERROR(needVector(2, half));
  int64_t headDim = inst->getInt("head_dim");
  if (in(0).width % headDim != 0)
    return widthError("width " + std::to_string(in(0).width) + " is not a multiple of head_dim " +
                      std::to_string(headDim));
  if (half > headDim / 2)
    return widthError("more frequencies than half of head_dim");
  return needOutWidth(in(0).width);
}

Status OperandVerifier::verifyAttention() {
  for (size_t i = 0; i < 3; ++i)
    QRT_RETURN_IF_ERROR(needActivation(i));
  int64_t heads = inst->getInt("num_heads"), kvHeads = inst->getInt("kv_heads");
  int64_t headDim = inst->getInt("head_dim"), valueDim = inst->getInt("value_dim");
  if (heads % kvHeads != 0)
    return widthError("num_heads is not a multiple of kv_heads");
  const int64_t widths[3] = {heads * headDim, kvHeads * headDim, kvHeads * valueDim};
  for (size_t i = 0; i < 3; ++i)
    if (in(i).width != widths[i])
      return widthError("operand " + std::to_string(i) + " has width " +
                        std::to_string(in(i).width) + ", heads and dimensions say " +
                        std::to_string(widths[i]));
  if (has(3)) {
    int64_t length = 0;
    QRT_RETURN_IF_ERROR(needVector(3, length));
    if (length != kvHeads * headDim)
      return widthError("the balance has " + std::to_string(length) + " entries, the keys " +
                        std::to_string(kvHeads * headDim));
  }
  auto cache = static_cast<size_t>(inst->getInt("cache"));
  if (cache >= program.caches.size() || cacheUsed[cache])
    return ruleError("R27 caches",
                     what + ": cache " + std::to_string(cache) +
                         (cache < cacheUsed.size() ? " has another user" : " does not exist"));
  cacheUsed[cache] = true;
  const CacheSpec &spec = program.caches[cache];
  if (spec.kvHeads != kvHeads || spec.headDim != headDim || spec.valueDim != valueDim ||
      spec.window != inst->getInt("window"))
    return ruleError("R27 caches",
                     what + ": cache " + std::to_string(cache) + " is described differently");
  return needOutWidth(heads * valueDim);
}

} // namespace qrt
