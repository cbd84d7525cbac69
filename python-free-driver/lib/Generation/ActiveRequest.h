//===- ActiveRequest.h - A request that is running --------------------------------------------===//
// Prompt and generated tokens of one request, its controls and its text. It knows nothing of the
// engine: the generator feeds tokens and hands it the logits.
#ifndef QRT_GENERATION_ACTIVEREQUEST_H
#define QRT_GENERATION_ACTIVEREQUEST_H

#include "Generation/Generator.h"
#include "Generation/TextStream.h"
#include "Reasoning/Controller.h"
#include "Sampling/SampleLists.h"

#include <chrono>

namespace qrt {

class ActiveRequest {
public:
  ActiveRequest(int id, GenerationRequest request, std::shared_ptr<const ReasoningPlan> plan,
                int64_t maxContext);

  /// Chooses the next token from the logits of the last one and takes it in.
  Status advance(Sampler &sampler, std::span<const float> logits);
  /// In place of advance(): the logits are forgotten, since the second weight set is to compute
  /// the last token again. The engine's sequence must be cut by it.
  bool fallsBack(std::span<const float> logits) { return controller.fallsBack(logits); }
  /// The next token can be chosen by the engine: prepare(), then take() what it chose.
  bool canLeaveChoice() const {
    return !controller.needsLogits() && !controller.mayFallBack() && req.sampling.logprobs < 0;
  }
  /// At most so many entries will prepare() append.
  int64_t sampleEntries(int32_t vocabSize) const;
  Status prepare(SampleLists &lists, SampleRow &row, std::vector<SampleEntry> &entries);
  /// After prepare(): what it will give for the token behind the next one, if that is an ordinary
  /// one. False where that cannot be said or there will be none.
  Result<bool> prepareAhead(SampleLists &lists, SampleRow &row, std::vector<SampleEntry> &entries);
  Status take(SampledToken sampled);
  /// After advance(): the controls want an answer tried before the last token.
  bool wantsTrial() const { return trial; }
  void endTrial(std::span<const int32_t> answer, double confidence, int64_t tokensTried);

  bool done() const { return finished; }
  void finish(FinishReason reason, const std::string &detail = {});
  GenerationResult takeResult();

  const int id;
  int seq = -1;
  int64_t fed = 0; ///< tokens in the engine; never more than tokens.size() after advance()
  std::vector<bool> fedSets; ///< per token in the engine: computed with the second weight set
  std::vector<int32_t> tokens;
  /// What to feed next, from `fed` on: so many tokens, all with one weight set.
  struct Feed {
    int64_t tokens;
    bool alternate;
  };
  Feed nextFeed() const;
  bool usesSecondSet() const { return controller.usesSecondSet(); }
  const GenerationRequest &request() const { return req; }
  const ReasoningPlan &plan() const { return controller.plan(); }
  int64_t promptLength() const { return int64_t(req.prompt.size()); }
  /// Puts the request on a sequence that has its first `length` tokens already.
  void startAt(int sequence, int64_t length, bool alternate);
  /// The engine has read `count` further tokens with one weight set, or only the first `keep`
  /// count.
  void feed(int64_t count, bool alternate);
  void unfeed(int64_t keep);
  /// What the engine has read.
  std::vector<int32_t> fedTokens() const { return {tokens.begin(), tokens.begin() + fed}; }

private:
  using Clock = std::chrono::steady_clock;
  void takeBack(int64_t keepGenerated);
  void checkEnd(int32_t token, const std::optional<std::string> &stop);
  void tell(int32_t token);
  std::string place() const;
  void addDetail(const std::string &what);

  GenerationRequest req;
  ReasoningController controller;
  TextStream text;
  GenerationResult result;
  int64_t maxContext;
  bool trial = false, finished = false, running = false;
  int64_t cached = 0;
  int64_t retractTokens = 0; // not told yet
  size_t retractBytes = 0;
  std::vector<std::string> details;
  Clock::time_point start, firstToken;
};

} // namespace qrt

#endif // QRT_GENERATION_ACTIVEREQUEST_H
