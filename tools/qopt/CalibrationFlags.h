//===- CalibrationFlags.h - Flags of calibrated quantization ---------------------------------===//
#ifndef QOPT_TOOLS_QOPT_CALIBRATIONFLAGS_H
#define QOPT_TOOLS_QOPT_CALIBRATIONFLAGS_H

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
  llvm::cl::opt<std::string> workDirectory, maxMemory;
  llvm::cl::opt<bool> resume, force;
  llvm::cl::opt<double> targetBpw;
  llvm::cl::opt<std::string> targetSize, keepCritical, scores, withFp16, gate;

  /// Chooses the algorithm and, if it needs one, makes the calibration stage. Reads what
  /// `options.scheme` already says. InvalidArgument for flags that would be ignored.
  qrt::Status read(CompileOptions &options, int threads);

private:
  /// Name of a flag that was given although only calibration reads it; "" for none.
  std::string calibrationFlag() const;
  qrt::Status readQuantizer(calibration::CalibrationStage &stage, int threads);
  qrt::Status readMixed(calibration::MixedOptions &mixed);
};

/// "8GiB", "500m", "123456" -> bytes; b, k, m, g with an optional "iB" or "B", powers of 1024.
qrt::Result<int64_t> parseBytes(llvm::StringRef text, llvm::StringRef flag);

} // namespace qopt

#endif // QOPT_TOOLS_QOPT_CALIBRATIONFLAGS_H
