//===- MergeTable.h - Which two tokens become one ---------------------------------------------===//
// A hash table with open addressing: (left id, right id) -> rank and the id of the union.
// Thread safety: immutable after building.
#ifndef QRT_TOKENIZER_MERGETABLE_H
#define QRT_TOKENIZER_MERGETABLE_H

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace qrt::text {

class MergeTable {
public:
  struct Merge {
    uint32_t rank;
    int32_t id;
  };

  explicit MergeTable(size_t count = 0) : slots(std::bit_ceil(2 * count + 2)) {}

  /// At most `count` pairs; a pair that is there already gets the new rank.
  void insert(int32_t left, int32_t right, Merge merge) {
    Slot &slot = slots[place(key(left, right))];
    slot = {key(left, right), merge};
  }
  const Merge *find(int32_t left, int32_t right) const {
    const Slot &slot = slots[place(key(left, right))];
    return slot.key == empty ? nullptr : &slot.merge;
  }

private:
  static constexpr uint64_t empty = ~uint64_t(0); // ids are below 2^31
  struct Slot {
    uint64_t key = empty;
    Merge merge{};
  };
  static uint64_t key(int32_t left, int32_t right) {
    return uint64_t(uint32_t(left)) << 32 | uint32_t(right);
  }
  size_t place(uint64_t key) const {
    size_t mask = slots.size() - 1;
    size_t at = size_t((key * 0x9E3779B97F4A7C15u) >> 20) & mask;
    while (slots[at].key != empty && slots[at].key != key)
      at = (at + 1) & mask;
    return at;
  }

  std::vector<Slot> slots;
};

} // namespace qrt::text

#endif // QRT_TOKENIZER_MERGETABLE_H
