//===- Chunks.cpp - What every engine checks before a step -----------------------------------===//
#include "Engine/Chunks.h"

#include "Format/Verifier.h"

#include <algorithm>
#include <vector>

namespace qrt {

Result<int64_t> contextLimitOf(const Program &program, const EngineOptions &options) {
  const int64_t tableLimit = positionLimit(program);
  int64_t limit = options.maxContext > 0 ? options.maxContext : program.maxContext;
  if (tableLimit > 0) {
    if (options.maxContext > tableLimit)
      return invalidArgument("a context of " + std::to_string(options.maxContext) +
                             " tokens; the model's position table ends at " +
                             std::to_string(tableLimit));
    if (limit == 0 || limit > tableLimit)
      limit = tableLimit;
  }
  return limit;
}

Status verifyChunks(std::span<const Engine::Chunk> chunks,
                    const std::function<int64_t(int)> &length, int32_t vocabSize,
                    int64_t contextLimit, bool alternateWeights) {
  std::vector<int> seen;
  for (const Engine::Chunk &chunk : chunks) {
    if (length(chunk.seq) < 0)
      return invalidArgument("no sequence " + std::to_string(chunk.seq));
    if (chunk.tokens.empty())
      return invalidArgument("a chunk without tokens");
    seen.push_back(chunk.seq);
    if (chunk.alternate && !alternateWeights)
      return invalidArgument("a chunk asks for the second weight set, which is not switched on");
    for (int32_t token : chunk.tokens)
      if (token < 0 || token >= vocabSize)
        return invalidArgument("token id " + std::to_string(token) +
                               " is outside the vocabulary of " + std::to_string(vocabSize));
    int64_t limit = contextLimit > 0 ? contextLimit : INT32_MAX;
    if (int64_t(chunk.tokens.size()) > limit - length(chunk.seq))
      return invalidArgument("sequence " + std::to_string(chunk.seq) + " would have " +
                             std::to_string(length(chunk.seq) + int64_t(chunk.tokens.size())) +
                             " tokens, more than the context of " + std::to_string(limit));
  }
  std::sort(seen.begin(), seen.end());
  if (std::adjacent_find(seen.begin(), seen.end()) != seen.end())
    return invalidArgument("a sequence occurs twice in one step");
  return Status::ok();
}

} // namespace qrt
