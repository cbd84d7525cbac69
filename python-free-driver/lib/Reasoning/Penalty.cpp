//===- Penalty.cpp - The marker penalty of a step ---------------------------------------------===//
// Constant  strength + ramp * markers in this block        arXiv 2606.00206; ramp: this project's
// Ban       -inf                                            NoWait, 2506.08343
// Window    as Constant, within `window` tokens of the last marker or the block's start; TIP,
// 2501.18585 Cycle     A |4 ((t - C/4) mod C) / C - 2| - A is added     CyclicReflex, 2506.11077
#include "Reasoning/Controller.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qrt {

/// What is subtracted from a marker of strength 1; `t`: tokens in the block, `sinceMarker`: tokens
/// since the last marker or the block's start.
static float penaltyAmount(const MarkerPenaltyOptions &o, int64_t t, int64_t sinceMarker,
                           int64_t markers) {
  float amount = o.strength + o.rampStep * float(markers);
  if (o.rampMax > 0)
    amount = std::min(amount, std::max(o.rampMax, o.strength));
  switch (o.shape) {
  case MarkerPenaltyOptions::Shape::Constant:
    return amount;
  case MarkerPenaltyOptions::Shape::Ban:
    return std::numeric_limits<float>::infinity();
  case MarkerPenaltyOptions::Shape::Window:
    return sinceMarker < o.window ? amount : 0;
  case MarkerPenaltyOptions::Shape::Cycle: {
    double period = o.period, phase = std::fmod(double(t) - period / 4, period);
    if (phase < 0)
      phase += period;
    return float(o.strength - o.strength * std::fabs(4 * phase / period - 2));
  }
  }
  return 0;
}

void ReasoningController::penalise(StepControls &out) {
  const MarkerPenaltyOptions &o = thePlan->options.marker;
  penaltyList.clear();
  if (!o.active() || !inMarkerScope())
    return;
  float amount = penaltyAmount(o, state.segmentTokens, state.segmentTokens - state.lastMarker,
                               state.segmentMarkers);
  if (amount == 0)
    return;
  for (const Marker &m : thePlan->markers.markers)
    if ((!m.lineStart || state.lineStart) && m.strength != 0)
      penaltyList.push_back({m.token, amount * m.strength});
  out.penalties = penaltyList;
  out.entropyMin = o.entropyMin;
}

} // namespace qrt
