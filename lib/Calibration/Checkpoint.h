//===- Checkpoint.h - Finished groups of a sweep in a work directory -------------------------===//
// run.json says what the run is (a fingerprint, field by field), group-0007.qcal holds the
// quantized weights of one group: a line of JSON, the arrays it describes, and an XXH64 of all
// that. Files are renamed into place, so what is there is whole; a file with another checksum
// counts as missing.
#ifndef QOPT_LIB_CALIBRATION_CHECKPOINT_H
#define QOPT_LIB_CALIBRATION_CHECKPOINT_H

#include "qopt/Calibration/QuantizeCalibrated.h"
#include "qopt/Quantization/SparseOutliers.h"

#include "Support/Json.h"

#include <optional>

namespace qopt::calibration {

/// One linear of a group, as it is stored.
struct StoredLinear {
  LinearReport report;
  std::vector<uint8_t> codes;
  std::vector<uint16_t> scales;
  std::vector<uint8_t> zeroPoints;
  quantization::SparseWeights outliers;
};

class Checkpoint {
public:
  /// Opens (and makes) the directory. Without `resume` finished groups are removed. ResumeMismatch
  /// names the fields in which the fingerprint differs, unless `force`.
  static qrt::Result<Checkpoint> open(const std::string &directory,
                                      const qrt::OrderedJson &fingerprint, bool resume, bool force);

  /// The group's linears, if it is finished.
  std::optional<std::vector<StoredLinear>> read(int64_t group) const;
  qrt::Status write(int64_t group, const std::vector<StoredLinear> &linears) const;

private:
  explicit Checkpoint(std::string directory) : directory(std::move(directory)) {}
  std::string pathOf(int64_t group) const;
  std::string directory;
};

/// What must be the same for a resumed run to give the same bytes.
qrt::OrderedJson fingerprintOf(mlir::func::FuncOp function, const TokenTable &tokens,
                               const CalibratedOptions &options);

} // namespace qopt::calibration

#endif // QOPT_LIB_CALIBRATION_CHECKPOINT_H
