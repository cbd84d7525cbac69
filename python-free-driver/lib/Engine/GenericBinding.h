//===- GenericBinding.h - What the inputs of an unraised graph mean --------------------------===//
// Inputs and outputs are recognised by the names that exporters give them:
//
//   input_ids                       [1, S]    the tokens
//   attention_mask                  [1, P+S]  ones
//   position_ids                    [1, S]    P .. P+S-1
//   cache_position                  [S]       P .. P+S-1
//   token_type_ids                  [1, S]    zeros
//   past_key_values.N.key|value     past of this sequence, from present.N.key|value; also with "_"
//                                   for "." and "past" or "present_key_values" as prefix
//   key_cache.N, value_cache.N      fixed-size past, written in place: [1, capacity, features],
//   from
//                                   updated_key_cache.N, updated_value_cache.N
//   write_indices                   [1]       P: where the new keys and values go
//   nonpad_kv_seqlen                [1]       P+S
//   logits                          [1, S, V], [1, 1, V] or [S, V]; or the only other output
//
// P = tokens before this run, S = tokens of it. A graph without past inputs is run on the whole
// sequence every time. Any other input is an error that names it.
#ifndef QRT_ENGINE_GENERICBINDING_H
#define QRT_ENGINE_GENERICBINDING_H

#include "Format/Program.h"
#include "qrt/Status.h"

#include <vector>

namespace qrt {

enum class InputRole {
  Ids,
  AttentionMask,
  PositionIds,
  CachePosition,
  TokenTypeIds,
  WriteIndices,
  KvLength,
  Past
};

struct BoundInput {
  InputRole role;
  int32_t value = -1;
  DType dtype = DType::I64;
  // Past only:
  size_t pastIndex = 0;
  std::vector<int64_t> emptyShape; ///< of an empty past; of any past if it is of fixed size
  size_t sequenceAxis = 0;
  int64_t capacity = 0; ///< tokens that a past of fixed size holds; 0: it grows
};

struct GenericBinding {
  std::vector<BoundInput> inputs;
  std::vector<int32_t> presents; ///< value of the present output for each past index
  int32_t logits = -1;

  int64_t capacity = 0; ///< of the smallest past of fixed size; 0: none

  bool cached() const { return !presents.empty(); }
};

/// Unsupported: an input, or a past without a present, that cannot be bound, by name.
Result<GenericBinding> bindGeneric(const Program &program);

} // namespace qrt

#endif // QRT_ENGINE_GENERICBINDING_H
