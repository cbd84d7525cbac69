//===- Chunks.h - What every engine checks before a step -------------------------------------===//
#ifndef QRT_ENGINE_CHUNKS_H
#define QRT_ENGINE_CHUNKS_H

#include "qrt/Engine.h"

#include <functional>

namespace qrt {

/// Tokens per sequence that options and program allow, 0 = no limit. InvalidArgument: more than the
/// model's position table has.
Result<int64_t> contextLimitOf(const Program &program, const EngineOptions &options);

/// InvalidArgument: a sequence that is none or occurs twice, no tokens, a token outside the
/// vocabulary, more tokens than the context, or the second weight set where the engine does not
/// have it switched on. `length`: of a sequence, -1 if there is none.
Status verifyChunks(std::span<const Engine::Chunk> chunks,
                    const std::function<int64_t(int)> &length, int32_t vocabSize,
                    int64_t contextLimit, bool alternateWeights = false);

} // namespace qrt

#endif // QRT_ENGINE_CHUNKS_H
