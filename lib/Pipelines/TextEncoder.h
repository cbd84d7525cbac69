//===- TextEncoder.h - Calibration text through a model's own tokenizer ----------------------===//
#ifndef QOPT_LIB_PIPELINES_TEXTENCODER_H
#define QOPT_LIB_PIPELINES_TEXTENCODER_H

#include "qopt/Calibration/CalibrationData.h"
#include "qopt/Pipelines/ModelFiles.h"

namespace qopt {

/// Encodes with the tokenizer (and, for messages, the chat template) among the sidecars; both are
/// read at the first use. Empty functions where there is no tokenizer.json.
calibration::TextEncoder makeTextEncoder(std::shared_ptr<const Sidecars> sidecars);

} // namespace qopt

#endif // QOPT_LIB_PIPELINES_TEXTENCODER_H
