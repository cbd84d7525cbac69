//===- PositionScore.h - Reference and model at one position ----------------------------------===//
#ifndef QRT_EVAL_POSITIONSCORE_H
#define QRT_EVAL_POSITIONSCORE_H

#include "Eval/TeacherForced.h"

#include <cstdint>
#include <span>
#include <vector>

namespace qrt {

/// What a control token that takes part in an event adds to its TokenShift.
struct MarkerEvent {
  int32_t marker; ///< index into AuditTokens::markers
  double logRatio, logOdds, rankShift;
};

struct PositionScore {
  double kl = 0, entropyReference = 0, entropyModel = 0;
  double nllReference = 0, nllModel = 0; ///< of the token that follows in the text
  bool sameTop = false;
  bool finite = true; ///< false: a logit row has no finite maximum
  double endOfThink[2] = {}, endOfText[2] = {}, allMarkers[2] = {}; ///< reference, model
  std::vector<double> markerReference, markerModel;                 ///< probability per marker
  std::vector<MarkerEvent> events;
};

/// `p`, `q`: logits of reference and model, same length.
PositionScore scorePosition(std::span<const float> p, std::span<const float> q, int32_t next,
                            const AuditTokens &audit);

} // namespace qrt

#endif // QRT_EVAL_POSITIONSCORE_H
