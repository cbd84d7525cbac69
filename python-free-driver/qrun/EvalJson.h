//===- EvalJson.h - Results of qrun eval as JSON ----------------------------------------------===//
// The fields are documented in docs/reasoning.md.
#ifndef QRUN_EVALJSON_H
#define QRUN_EVALJSON_H

#include "Eval/TeacherForced.h"
#include "Generation/ModelTexts.h"
#include "Support/Json.h"

namespace qrt {

/// End of think, end of text and markers of a model, as far as its texts say.
AuditTokens auditTokens(const ModelTexts &texts);
/// The tokenizer of `texts` names tokens.
OrderedJson comparisonJson(const Comparison &comparison, const ModelTexts &texts);

} // namespace qrt

#endif // QRUN_EVALJSON_H
