//===- CalibrationFlags.h - Flags of calibrated quantization ---------------------------------===//
#ifndef QOPT_TOOLS_QOPT_CALIBRATIONFLAGS_H
#define QOPT_TOOLS_QOPT_CALIBRATIONFLAGS_H

#include "RecipeFlags.h"
#include "RotationFlags.h"

#include "qopt/Pipelines/Compiler.h"

#include "llvm/Support/CommandLine.h"

namespace qopt {

/// The category of all of qopt's own flags.
llvm::cl::OptionCategory &optionCategory();

struct CalibrationFlags {
  CalibrationFlags();

  llvm::cl::opt<std::string> algorithm, data, mask;
  llvm::cl::opt<int64_t> samples, length;
  llvm::cl::opt<uint64_t> seed;
  llvm::cl::opt<double> damping;
  llvm::cl::opt<int> rounds;
  llvm::cl::opt<std::string> arithmetic;
  llvm::cl::opt<std::string> workDirectory, maxMemory;
  llvm::cl::opt<bool> resume, force;
  llvm::cl::opt<bool> deriveMarkers;
  llvm::cl::opt<double> targetBpw;
  llvm::cl::opt<std::string> targetSize, keepCritical, scores, withFp16, gate, statistics;
  llvm::cl::opt<bool> floatMoments;
  llvm::cl::opt<std::string> fit;
  llvm::cl::opt<int64_t> context;
  llvm::cl::opt<std::string> tokenWeights, selfPrompts;
  llvm::cl::opt<int64_t> selfTokens;
  llvm::cl::opt<double> selfTemperature;
  llvm::cl::opt<std::string> selfSave;
  llvm::cl::opt<bool> gptaq;
  llvm::cl::opt<double> gptaqStrength, smoothAlpha;
  llvm::cl::opt<std::string> outliers, activationScales;
  RotationFlags rotation; ///< its parts may be asked for by --algo

  /// The flags of this struct that a recipe can give.
  void addTo(RecipeFlags &recipe);
  /// Those that say how a run is done, not what it makes.
  std::vector<const llvm::cl::Option *> runFlags() const {
    return {&workDirectory, &maxMemory, &resume, &force, &selfSave};
  }

  /// Chooses the algorithm and, if it needs one, makes the calibration stage. Reads what
  /// `options.scheme` already says. InvalidArgument for flags that would be ignored.
  /// What `recipe` gave is not complained about where the command line chose another algorithm.
  qrt::Status read(CompileOptions &options, int threads, const RecipeFlags &recipe);

private:
  /// Name of a flag that was given although only calibration reads it; "" for none.
  std::string calibrationFlag(const RecipeFlags &recipe) const;
  qrt::Status readQuantizer(calibration::CalibrationStage &stage, int threads);
  qrt::Status readData(calibration::CalibrationStage &stage);
  qrt::Status readMixed(calibration::MixedOptions &mixed);
  qrt::Status readFit(calibration::FitTarget &target);
  qrt::Status readOutliers(CompileOptions &options, calibration::CalibrationStage &stage);
  qrt::Status readActivationScales(const CompileOptions &options,
                                   calibration::CalibrationStage &stage);
};

/// "8GiB", "500m", "123456" -> bytes; b, k, m, g with an optional "iB" or "B", powers of 1024.
qrt::Result<int64_t> parseBytes(llvm::StringRef text, llvm::StringRef flag);

} // namespace qopt

#endif // QOPT_TOOLS_QOPT_CALIBRATIONFLAGS_H
