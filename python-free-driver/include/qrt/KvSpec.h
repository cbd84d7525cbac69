//===- qrt/KvSpec.h - How a KV cache stores keys and values ----------------------------------===//
// Types of keys and values, and which tokens of a cache of codes are kept precisely (f16) beside
// them: kernels/cpu/attention/attention.h has the definition, docs/semantics.md the numbers.
#ifndef QRT_KVSPEC_H
#define QRT_KVSPEC_H

#include "qrt/DType.h"
#include "qrt/Status.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace qrt {

struct KvSpec {
  DType keys = DType::F32, values = DType::F32; ///< F32, F16, BF16, I8 or I4
  int64_t sink = 0;                             ///< first tokens that are read precisely
  int64_t recent = 0;                           ///< last tokens that are read precisely

  bool isCoded() const {
    return keys == DType::I8 || keys == DType::I4 || values == DType::I8 || values == DType::I4;
  }
  /// A type of keys or values that a cache may have.
  static bool isCacheType(DType type) {
    return type == DType::F32 || type == DType::F16 || type == DType::BF16 || type == DType::I8 ||
           type == DType::I4;
  }
  bool operator==(const KvSpec &) const = default;
};

/// What a user asks for; what is not given comes from the model, else from the types.
struct KvOptions {
  std::optional<DType> keys, values;
  std::optional<int64_t> sink, recent;
};

/// Tokens kept precisely where nothing else is said: 4 and 64 if keys or values have 4 bits.
inline constexpr int64_t defaultKvSink = 4, defaultKvRecent = 64;

/// `stored` changed by what the options give. InvalidArgument: types that no cache has, negative
/// numbers, precise tokens of a cache without codes.
Result<KvSpec> resolveKv(const KvSpec &stored, const KvOptions &options);

/// "f32", "f16", "bf16", "int8" (also "i8", "q8_0"), "int4" (also "i4", "q4_0"); nothing else.
std::optional<DType> kvTypeFromName(std::string_view text);
/// The inverse: "int8" for I8 and "int4" for I4.
std::string kvTypeName(DType type);
/// "int8" for both, or "k=int8,v=int4" in any order; sets keys and values of `out`.
Status parseKvTypes(std::string_view text, KvOptions &out);
/// "int8", "k=int8,v=int4", with ", sink 4, window 64" behind it where tokens are kept.
std::string kvText(const KvSpec &spec);

} // namespace qrt

#endif // QRT_KVSPEC_H
