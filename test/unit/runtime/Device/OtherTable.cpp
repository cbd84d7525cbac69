//===- OtherTable.cpp - A library with the table of another version --------------------------===//
#include <cstdint>

extern "C" const void *qrtCudaTable() {
  static const uint32_t table[64] = {4711, 8};
  return table;
}
