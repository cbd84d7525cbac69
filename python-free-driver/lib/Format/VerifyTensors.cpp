//===- VerifyTensors.cpp - Rules about tensors: R13 to R16 -----------------------------------===//
#include "Format/VerifierParts.h"

#include "Format/Container.h"
#include "Format/Verifier.h"
#include "Support/CheckedMath.h"
#include "kernels/cuda/layout/StoredWeights.h"

#include <unordered_set>

namespace qrt {

static std::string describe(const TensorEntry &tensor) {
  return "tensor '" + tensor.name.substr(0, 200) + "': ";
}

static std::string shapeText(const TensorEntry &tensor) {
  std::string text = "[";
  for (size_t i = 0; i < tensor.shape.size() && i < 8; ++i) {
    text.append(i ? ", " : "");
    text.append(std::to_string(tensor.shape[i]));
  }
  text.push_back(']');
  return text;
}

Result<kernels::PackedSizes> tensorStreams(const TensorEntry &tensor) {
  const std::string what = describe(tensor);
  if (tensor.shape.size() > 8)
    return ruleError("R13 tensor-shape",
                     what + std::to_string(tensor.shape.size()) + " dimensions, more than 8");
  auto elements = checkedProduct(tensor.shape);
  if (!elements || *elements > (int64_t(1) << 48))
    return ruleError("R13 tensor-shape", what + "impossible shape " + shapeText(tensor));
  if (!tensor.packed) {
    kernels::PackedSizes sizes;
    sizes.data = static_cast<size_t>(*elements) * byteWidth(tensor.dtype);
    return sizes;
  }
  if (tensor.shape.size() != 2)
    return ruleError("R13 tensor-shape",
                     what + "packed tensors have two dimensions, not " + shapeText(tensor));
  auto sizes = kernels::packedSizes(tensor.weight);
  if (!sizes)
    return ruleError("R13 tensor-shape", what + sizes.status().message());
  if (tensor.fragments) {
    const int64_t bytes = cuda::storedFragmentBytes(tensor.weight);
    if (bytes < 0)
      return ruleError("R13 tensor-shape", what + "f32 weights have no order of tensor cores");
    sizes->data = static_cast<size_t>(bytes);
  }
  return sizes;
}

static Status verifyStream(const std::string &what, const char *stream, uint64_t expected,
                           uint64_t offset, uint64_t bytes, uint64_t weightsBytes) {
  if (bytes != expected)
    return ruleError("R14 tensor-bytes", what + stream + " has " + std::to_string(bytes) +
                                             " bytes, its format needs " +
                                             std::to_string(expected));
  if (offset % tensorAlignment != 0)
    return ruleError("R15 tensor-bounds", what + stream + " starts at " + std::to_string(offset) +
                                              ", not aligned to 64");
  if (!fitsInside(offset, bytes, weightsBytes))
    return ruleError("R15 tensor-bounds", what + stream + " ends outside the weights section");
  return Status::ok();
}

Status verifyTensors(const Program &program, uint64_t weightsBytes) {
  std::unordered_set<std::string_view> names;
  for (const TensorEntry &tensor : program.tensors) {
    const std::string what = describe(tensor);
    if (tensor.name.empty() || !names.insert(tensor.name).second)
      return ruleError("R16 tensor-name", tensor.name.empty() ? "a tensor without a name"
                                                              : what + "this name occurs twice");
    QRT_ASSIGN_OR_RETURN(kernels::PackedSizes sizes, tensorStreams(tensor));
    QRT_RETURN_IF_ERROR(
        verifyStream(what, "data", sizes.data, tensor.dataOffset, tensor.dataBytes, weightsBytes));
    QRT_RETURN_IF_ERROR(verifyStream(what, "scales", sizes.scales, tensor.scalesOffset,
                                     tensor.scalesBytes, weightsBytes));
    QRT_RETURN_IF_ERROR(verifyStream(what, "zero points", sizes.zeroPoints, tensor.zeroPointsOffset,
                                     tensor.zeroPointsBytes, weightsBytes));
  }
  return Status::ok();
}

} // namespace qrt
