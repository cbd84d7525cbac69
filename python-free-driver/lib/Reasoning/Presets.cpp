//===- Presets.cpp - Published controls as settings of the same mechanism ---------------------===//
#include "Reasoning/Presets.h"

namespace qrt {

static constexpr std::string_view names[] = {"penalty", "derived",      "fitted", "nowait",
                                             "tip",     "cyclicreflex", "dry",    "rescue"};

std::span<const std::string_view> presetNames() { return names; }

Status applyPreset(std::string_view name, ReasoningOptions &reasoning, SamplingOptions &sampling) {
  using Shape = MarkerPenaltyOptions::Shape;
  MarkerPenaltyOptions &marker = reasoning.marker;
  if (name == "penalty") {
    marker.strength = 1;
    marker.set = "default50";
  } else if (name == "derived") {
    marker.strength = 1;
    marker.set = "model";
  } else if (name == "fitted") {
    marker.fitted = true;
  } else if (name == "nowait") {
    marker.shape = Shape::Ban;
    marker.set = "nowait";
  } else if (name == "tip") {
    marker.shape = Shape::Window;
    marker.set = "tip";
    marker.strength = 3;
    marker.window = 300;
  } else if (name == "cyclicreflex") {
    marker.shape = Shape::Cycle;
    marker.set = "reflection";
    marker.strength = 3;
    marker.period = 600;
  } else if (name == "dry") {
    sampling.dry.multiplier = 0.8f;
  } else if (name == "rescue") {
    reasoning.loop.action = LoopOptions::Action::Rollback;
  } else {
    std::string known;
    for (std::string_view preset : names)
      known.append(" ").append(preset);
    return invalidArgument("there is no preset '" + std::string(name) + "'; known:" + known);
  }
  return Status::ok();
}

} // namespace qrt
