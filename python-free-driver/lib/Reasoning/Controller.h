//===- Controller.h - Follows one sequence and steers it --------------------------------------===//
// Between two tokens: controls() says what the sampler must respect, accept() takes the token that
// was chosen and may answer that tokens have to be forgotten. The caller then truncates the
// sequence and its history; the controller has already gone back itself, by following the kept
// tokens again, so state survives any roll-back. What each control does is in docs/reasoning.md.
// Not thread safe; one per sequence.
#ifndef QRT_REASONING_CONTROLLER_H
#define QRT_REASONING_CONTROLLER_H

#include "Reasoning/LoopDetector.h"
#include "Reasoning/Plan.h"
#include "Reasoning/ThinkState.h"
#include "Sampling/Sampler.h"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace qrt {

class ReasoningController {
public:
  ReasoningController(std::shared_ptr<const ReasoningPlan> plan, std::span<const int32_t> prompt);

  /// The controls of the next token depend on the model's likeliest token; otherwise they follow
  /// from what was written and can be had before the logits are.
  bool needsLogits() const;
  /// For the next token. `temperature`: the request's. `logits` may be empty unless needsLogits().
  /// Valid until the next call.
  StepControls controls(std::span<const float> logits, float temperature);
  /// Before the next token is known: the controls of the one behind it, if it is an ordinary token
  /// (no tag, marker, end of a line or loop); nothing where even that is not enough to say. A guess
  /// for engines that work ahead, who compare it with controls(). Valid until the next call.
  std::optional<StepControls> controlsAhead(float temperature);
  /// What the sampler saw under these controls: for the counters. Before accept().
  void observe(const SampledToken &sampled);

  struct Verdict {
    enum class Kind {
      Continue,
      Rollback, ///< only the first `keep` generated tokens stay
      Trial,    ///< early exit: try an answer before the last token, then call endTrial()
      Stop,     ///< finish the request: a loop that nothing breaks
    };
    Kind kind = Kind::Continue;
    int64_t keep = 0;
  };
  Verdict accept(int32_t token);
  /// The trial's answer, how sure the model was of it, and the tokens that it cost. Rollback by the
  /// last token if the thinking ends here.
  Verdict endTrial(std::span<const int32_t> answer, double confidence, int64_t tokens);

  /// The next token is to come from the file's second weight set: FP16 planning, rescue, fallback.
  bool usesSecondSet() const;
  /// The quantized set may turn out too unsure of the next token: ask fallsBack() first.
  bool mayFallBack() const;
  /// Given its logits, in place of controls(): it is, so usesSecondSet() from here on, and the
  /// caller forgets the logits and has the last token computed again.
  bool fallsBack(std::span<const float> logits);

  bool thinking() const { return state.think.thinking(); }
  /// What the last accepted token did to the think state.
  ThinkState::Event lastEvent() const { return event; }
  /// Some of the generated text was inside a think block.
  bool everThought() const { return state.everThought; }
  int64_t reasoningTokens() const { return state.reasoningTokens; }
  /// The last accepted token was written by a control.
  bool lastForced() const { return wasForced; }
  /// Draws at the same position differ after a roll-back.
  uint64_t stream() const { return uint64_t(rollbacks); }
  ReasoningCounters counters() const;
  /// "budget_forced", "loop_rollback" ..., in the order in which they first acted.
  const std::vector<std::string> &details() const { return detailList; }
  const ReasoningPlan &plan() const { return *thePlan; }

private:
  /// What the kept tokens alone determine.
  struct State {
    ThinkState think;
    bool lineStart = true;
    bool everThought = false;
    std::string tail;          ///< last bytes of the text
    int64_t segmentStart = 0;  ///< generated tokens before the current block or answer
    int64_t segmentTokens = 0; ///< tokens in it, those of the prompt included
    int64_t segmentMarkers = 0, lastMarker = 0;
    int64_t markerHits = 0, reasoningTokens = 0;
    bool outlined = false; ///< the thinking has had an empty line behind its first text
  };
  std::optional<Loop> follow(int32_t token, bool generatedToken);
  void goBack(int64_t keep);
  void penalise(StepControls &out);
  void ban(StepControls &out, int64_t position);
  /// Penalties, bans and temperature of the token at generated position `position`.
  void steer(StepControls &out, int64_t position, float temperature);
  bool budgetIsDue() const;
  bool mayLand(std::span<const float> logits) const;
  void queueClosing();
  Verdict extend();
  Verdict onLoop(const Loop &loop);
  void perturb(int64_t keep, int32_t token);
  void detail(const char *what);
  std::string thinkingText() const;
  bool inMarkerScope() const;

  std::shared_ptr<const ReasoningPlan> thePlan;
  State atPrompt, state;
  std::vector<int32_t> generated;
  LoopDetector detector;
  std::deque<int32_t> forced;
  std::map<int64_t, std::vector<int32_t>> bans; ///< by generated position
  int64_t perturbUntil = 0;
  int64_t rollbacks = 0;
  int64_t nextTrial = 0;
  std::vector<int32_t> lastTrial; ///< the answer of the last trial
  int32_t sureTrials = 0;         ///< trials in a row that were sure of it
  int64_t rescueLeft = 0;         ///< tokens for the second weight set behind a rescue
  int64_t unsureLeft = 0;         ///< and behind an unsure step
  bool wasForced = false;
  bool held = false; ///< the end of thinking was likeliest in the step just sampled, and banned
  ThinkState::Event event = ThinkState::Event::None;
  ReasoningCounters counts; ///< those that roll-backs do not undo
  std::vector<std::string> detailList;
  std::vector<TokenPenalty> penaltyList;
  std::vector<int32_t> banList;
  std::vector<int64_t *> banCounters; ///< per banned token; null: not counted
  std::vector<TokenPenalty> aheadPenalties;
  std::vector<int32_t> aheadBans;
};

} // namespace qrt

#endif // QRT_REASONING_CONTROLLER_H
