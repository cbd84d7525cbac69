//===- OpTable.h - The launch functions of a build, as members of the table ------------------===//
// An operation that no linked file defines stays null: the engine then names it instead of running
// something else (weak references; the kernels are linked as objects, not as an archive).
#ifndef QRT_CUDA_OPTABLE_H
#define QRT_CUDA_OPTABLE_H

#include "kernels/cuda/Table.h"

namespace qrt::cuda {

#define QRT_CUDA_WEAK(name, Params)                                                                \
  [[gnu::weak]] int launch##name(const Launch &launch, const Params &params);
QRT_CUDA_OPS(QRT_CUDA_WEAK)
#undef QRT_CUDA_WEAK
[[gnu::weak]] int64_t repackedBytes(const kernels::WeightDesc &desc);
[[gnu::weak]] int64_t kvPageBytes(int64_t kvHeads, int64_t dim, DType type);
[[gnu::weak]] int64_t int8Bytes(int64_t rows, int64_t width, int32_t block);
[[gnu::weak]] int64_t linearWorkspaceBytes(const Launch &launch, const LinearParams &params);
[[gnu::weak]] int64_t linearGroupWorkspaceBytes(const Launch &launch,
                                                const LinearGroupParams &params);
[[gnu::weak]] int64_t attentionWorkspaceBytes(const Launch &launch, const AttentionParams &params);

inline void fillOperations(Table &table) {
  table.abi = tableAbi;
  table.tableBytes = sizeof(Table);
#define QRT_CUDA_FILL(name, Params) table.launch##name = launch##name;
  QRT_CUDA_OPS(QRT_CUDA_FILL)
#undef QRT_CUDA_FILL
  table.repackedBytes = repackedBytes;
  table.kvPageBytes = kvPageBytes;
  table.int8Bytes = int8Bytes;
  table.linearWorkspaceBytes = linearWorkspaceBytes;
  table.linearGroupWorkspaceBytes = linearGroupWorkspaceBytes;
  table.attentionWorkspaceBytes = attentionWorkspaceBytes;
}

} // namespace qrt::cuda

#endif // QRT_CUDA_OPTABLE_H
