//===- FloatElements.cpp - Float constants as f32 --------------------------------------------===//
#include "qopt/Support/FloatElements.h"

#include "qopt/Support/WeightStore.h"
#include "qrt/Half.h"

#include <cstring>

using namespace mlir;

namespace qopt {

template <typename Stored, typename Convert>
static void convertEach(const char *bytes, size_t count, float *out, Convert convert) {
  for (size_t i = 0; i < count; ++i) {
    Stored value;
    std::memcpy(&value, bytes + i * sizeof(Stored), sizeof(Stored));
    out[i] = convert(value);
  }
}

bool convertToFloat(Type element, const char *bytes, size_t count, float *out) {
  if (element.isF32())
    std::memcpy(out, bytes, count * sizeof(float));
  else if (element.isF16())
    convertEach<uint16_t>(bytes, count, out, qrt::f16ToF32);
  else if (element.isBF16())
    convertEach<uint16_t>(bytes, count, out, qrt::bf16ToF32);
  else if (element.isF64())
    convertEach<double>(bytes, count, out, [](double value) { return static_cast<float>(value); });
  else
    return false;
  return true;
}

FailureOr<std::vector<float>> readFloats(ElementsAttr value) {
  SmallVector<char> scratch;
  FailureOr<ArrayRef<char>> bytes = WeightStore::bytes(value, scratch);
  if (failed(bytes))
    return failure();
  std::vector<float> floats(value.getShapedType().getNumElements());
  if (!convertToFloat(value.getElementType(), bytes->data(), floats.size(), floats.data()))
    return failure();
  return floats;
}

} // namespace qopt
