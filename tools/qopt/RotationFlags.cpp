//===- RotationFlags.cpp - Flags of rotations ------------------------------------------------===//
#include "RotationFlags.h"

#include "CalibrationFlags.h"

using namespace llvm;

namespace qopt {

RotationFlags::RotationFlags()
    : rotate("rotate", cl::ValueOptional, cl::value_desc("all|residual|values"),
             cl::desc("Fold random Hadamard rotations into the weights: of the residual stream, of "
                      "the values of each head, or both (all, the default)"),
             cl::cat(optionCategory())),
      down("rotate-down",
           cl::desc("Rotate what down-projections read, by a Hadamard transform at run time"),
           cl::cat(optionCategory())),
      seed("rotate-seed", cl::desc("Of the rotation's random signs; 0: none (1)"), cl::init(1),
           cl::cat(optionCategory())) {}

qrt::Status RotationFlags::read(RotationOptions &options, std::string &algorithm) {
  StringRef parts = rotate;
  if (StringRef rest = algorithm; rest.consume_front("rotate+")) {
    algorithm = rest.str();
    parts = rotate.empty() ? "all" : parts;
  }
  if (rotate.getNumOccurrences() && parts.empty())
    parts = "all";
  if (!is_contained({"", "all", "residual", "values"}, parts))
    return qrt::invalidArgument("--rotate: expects all, residual or values, got '" + rotate + "'");
  options.residual = parts == "all" || parts == "residual";
  options.values = parts == "all" || parts == "values";
  options.down = down;
  options.seed = seed;
  if (seed.getNumOccurrences() && !options.any())
    return qrt::invalidArgument("--rotate-seed has no effect without --rotate or --rotate-down");
  return qrt::Status::ok();
}

} // namespace qopt
