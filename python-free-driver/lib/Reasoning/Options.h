//===- Options.h - What a caller can ask of the reasoning controls ----------------------------===//
// Every control has its own switch and is off by default, but for the suppression of end-of-text
// inside the think block. A control that cannot act on this model is an error when the request
// starts.
#ifndef QRT_REASONING_OPTIONS_H
#define QRT_REASONING_OPTIONS_H

#include "qrt/Status.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace qrt {

struct MarkerPenaltyOptions {
  enum class Scope { Think, All };
  enum class Shape {
    Constant, ///< strength at every step (2606.00206)
    Ban,      ///< -inf (NoWait, 2506.08343)
    Window,   ///< only within `window` tokens of a thought's start (TIP, 2501.18585)
    Cycle,    ///< triangle wave of period `period` (CyclicReflex, 2506.11077)
  };
  float strength = 0;             ///< subtracted from the logits before temperature; 0: off
  bool fitted = false;            ///< instead: the strength that the model's table stores
  std::string set;                ///< word set, "model": its table; "": that, else default50
  std::vector<std::string> words; ///< instead of a set
  Scope scope = Scope::Think;
  Shape shape = Shape::Constant;
  float rampStep = 0;   ///< strength + rampStep * hits in this block, at most rampMax
  float rampMax = 0;    ///< 0: no limit
  float entropyMin = 0; ///< acts only where the entropy (nats) is at least this
  int32_t window = 300; ///< Window: tokens; period of Cycle in `period`
  int32_t period = 600;

  bool active() const { return strength != 0 || fitted || shape == Shape::Ban; }
  bool operator==(const MarkerPenaltyOptions &) const = default;
};

struct LoopOptions {
  enum class Action {
    Off,
    Count,    ///< detect and count only
    Rollback, ///< forget the loop, ban its first token, go on at a higher temperature
    Break,    ///< write the closing message and end the thinking
    Commit,   ///< end the thinking with the answer found in it
    Stop,     ///< finish the request, finish reason "loop"
    Fp16,     ///< forget the loop and go on with the second weight set
  };
  Action action = Action::Off;
  int32_t ngram = 20, count = 4, window = 1024; ///< exact: 2606.02011, appendix B
  bool nearCycles = true;                       ///< also cycles with small differences
  int32_t maxRescues = 3;                       ///< afterwards Rollback and Fp16 become Break
  float temperature = 0.3f; ///< added for `perturbTokens` tokens after a rollback
  int32_t perturbTokens = 32;

  /// The action changes the text and lets the request go on.
  bool rescues() const {
    return action == Action::Rollback || action == Action::Break || action == Action::Commit ||
           action == Action::Fp16;
  }
  bool operator==(const LoopOptions &) const = default;
};

struct BudgetOptions {
  int64_t maxThink = -1;   ///< tokens in a think block, -1: no limit, 0: no thinking
  int64_t grace = 64;      ///< further tokens to reach the end of a sentence
  std::string message;     ///< closing message before the end tag
  int64_t minThink = 0;    ///< end of think is banned before this many tokens
  std::string minMessage;  ///< written where it was likeliest then, in place of the next best token
  bool suppressEos = true; ///< no end of text inside the block
  bool operator==(const BudgetOptions &) const = default;
};

/// DEER (2504.15895): at a transition, try an answer; take it if the model is sure of it, and stays
/// with it: low bits make models sure of intermediate results (2605.05561).
struct EarlyExitOptions {
  bool enabled = false;
  float confidence = 0.95f; ///< geometric mean probability of the trial answer's tokens
  int32_t trialTokens = 16; ///< longest trial answer
  int32_t every = 64;       ///< fewest tokens between two trials
  int32_t stable = 2;       ///< trials in a row with this answer, all of them sure
  std::string prompt;       ///< text that induces the answer; "": a default
  bool operator==(const EarlyExitOptions &) const = default;
};

/// FP16 planning and rescue (2606.02011), and fallback by uncertainty (as Big Little Decoder,
/// 2302.07863, falls back to its large model): tokens that the second weight set of the file writes
/// (qopt --with-fp16), in place of the quantized one.
struct Fp16Options {
  int64_t planTokens = 0;    ///< so many first tokens of the thinking
  bool outline = false;      ///< until the first empty line of the thinking, at most outlineTokens
  int64_t rescueTokens = 0;  ///< so many behind every loop rescue; 0 with Fp16: to the block's end
  bool prompt = false;       ///< the prompt
  bool answer = false;       ///< what stands outside the thinking
  float entropyMin = 0;      ///< so many nats of the quantized set's next token, and the second set
                             ///< computes it again and chooses; 0: off
  int64_t entropyTokens = 1; ///< so many tokens from there on
  static constexpr int64_t outlineTokens = 128;

  bool plans() const { return planTokens > 0 || outline; }
  bool operator==(const Fp16Options &) const = default;
};

struct ReasoningOptions {
  MarkerPenaltyOptions marker;
  LoopOptions loop;
  BudgetOptions budget;
  EarlyExitOptions earlyExit;
  Fp16Options fp16;

  /// Some control needs the second weight set of the file.
  bool usesSecondSet() const {
    return fp16.plans() || fp16.rescueTokens > 0 || fp16.prompt || fp16.answer ||
           fp16.entropyMin > 0 || loop.action == LoopOptions::Action::Fp16;
  }
  /// InvalidArgument naming the field.
  Status verify() const;
  bool operator==(const ReasoningOptions &) const = default;
};

/// Counted per request; the sums are in the summary of every command.
struct ReasoningCounters {
  int64_t markerHits = 0;      ///< marker tokens generated inside the scope
  int64_t markerPenalised = 0; ///< steps at which the penalty changed logits
  int64_t loopEvents = 0;
  int64_t rescued = 0;       ///< loops left by rollback, break or commit
  int64_t budgetForced = 0;  ///< think blocks ended by the budget
  int64_t eosSuppressed = 0; ///< steps whose likeliest token was a suppressed end of text
  int64_t minThinkHeld = 0;  ///< steps whose likeliest token was a suppressed end of think
  int64_t earlyExits = 0;
  int64_t trialTokens = 0;   ///< tokens spent on trial answers
  int64_t rolledBack = 0;    ///< generated tokens that were forgotten
  int64_t fp16Tokens = 0;    ///< steps that used the second weight set, forgotten tokens too
  int64_t fp16Fallbacks = 0; ///< steps of the quantized set that it was too unsure to take

  ReasoningCounters &operator+=(const ReasoningCounters &other);
  bool operator==(const ReasoningCounters &) const = default;
};

} // namespace qrt

#endif // QRT_REASONING_OPTIONS_H
