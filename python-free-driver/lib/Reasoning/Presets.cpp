//===- Presets.cpp - Published controls as settings of the same mechanism
//------------------------===//
#include "Reasoning/Presets.h"

namespace qrt {

Status applyPreset(std::string_view name, ReasoningOptions &reasoning, SamplingOptions &sampling) {
  using Shape = MarkerPenaltyOptions::Shape;
  MarkerPenaltyOptions &marker = reasoning.marker;
  if (name == "penalty") {
    marker.strength = 1;
    marker.set = "default50";
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
    return invalidArgument("there is no preset '" + std::string(name) +
                           "'; known: penalty nowait tip cyclicreflex dry rescue");
  }
  return Status::ok();
}

} // namespace qrt
