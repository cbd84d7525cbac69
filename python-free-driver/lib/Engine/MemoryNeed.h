//===- MemoryNeed.h - What running a program takes --------------------------------------------===//
// The arithmetic by which the token-major engine reserves memory, in one place, so that a compiler
// can ask before there is a file. Thread safety: free functions on values.
#ifndef QRT_ENGINE_MEMORYNEED_H
#define QRT_ENGINE_MEMORYNEED_H

#include "Format/Program.h"
#include "qrt/Engine.h"

#include <cstddef>
#include <cstdint>

namespace qrt {

/// Arena floats per row of all tokens, and per row of which logits are wanted.
struct ArenaFloats {
  int64_t all = 0, selected = 0;
};
ArenaFloats arenaFloats(const Program &program);

/// Scratch of the kernels for runs of up to `tokens` tokens of `sequences` sequences in caches of
/// `context` tokens; with the second weight set if `alternateWeights`.
size_t workspaceBytes(const Program &program, int threads, int64_t tokens, int64_t sequences,
                      int64_t context, bool alternateWeights);

struct MemoryNeed {
  int64_t weights = 0;     ///< the mapped file
  int64_t activations = 0; ///< arena, logits and scratch
  int64_t kv = 0;
  int64_t total() const { return weights + activations + kv; }
};

/// One sequence of `context` tokens, its prompt in chunks of options.prefillChunk, then token by
/// token. `program` has its tensors and is token-major.
MemoryNeed memoryNeed(const Program &program, int64_t fileBytes, const EngineOptions &options,
                      int64_t context);

} // namespace qrt

#endif // QRT_ENGINE_MEMORYNEED_H
