//===- DeriveMarkers.cpp - A marker table from what quantization changed ---------------------===//
// --derive-markers: the graph reads the calibration tokens, which should be reasoning traces,
// before and after quantization, and the words that it then prefers become the file's marker table
// (Reasoning/MarkerEvidence.h). Of the first reading only the likely tokens of each position
// remain. `qrun derive-markers` does the same to a finished file and fits the strength, too.
#include "qopt/Pipelines/Compiler.h"
#include "qopt/Pipelines/ModelFiles.h"

#include "qopt/Calibration/Gate.h"

#include "Reasoning/MarkerEvidence.h"
#include "Reasoning/ThinkPlaces.h"
#ifdef QOPT_WITH_TEMPLATE
#include "Template/ChatTemplate.h"
#endif

using qrt::Status;

namespace qopt {

struct MarkerSample {
  calibration::TokenTable tokens;
  std::shared_ptr<const qrt::Tokenizer> tokenizer;
  /// Per token of the table: where it stands, and whether its prediction counts.
  std::vector<qrt::ThinkPlace> places;
  std::vector<bool> counts;
  std::vector<std::vector<qrt::LikelyToken>> before; ///< of the positions that predict such a token
};

namespace {

Status readTexts(const std::string &modelFile, MarkerSample &sample) {
  QRT_ASSIGN_OR_RETURN(Sidecars sidecars, readSidecars(modelFile));
  auto section = [&](qrt::SectionKind kind) -> std::string_view {
    for (const auto &[found, bytes] : sidecars.sections)
      if (found == kind)
        return bytes;
    return {};
  };
  const std::string_view json = section(qrt::SectionKind::Tokenizer),
                         config = section(qrt::SectionKind::TokenizerConfig);
  if (json.empty())
    return qrt::invalidArgument("--derive-markers: the model has no tokenizer.json");
  QRT_ASSIGN_OR_RETURN(sample.tokenizer, qrt::Tokenizer::fromJson(json, config));
  std::string source(section(qrt::SectionKind::ChatTemplate));
#ifdef QOPT_WITH_TEMPLATE
  QRT_ASSIGN_OR_RETURN(source, qrt::findTemplateSource(source, config));
#endif
  const auto tags = qrt::findThinkTags(sample.tokenizer.get(), source);
  for (const auto &sequence : sample.tokens.sequences) {
    auto ids = std::span(sample.tokens.ids).subspan(sequence.first, sequence.tokens);
    for (const qrt::ThinkPlace &place : qrt::thinkPlaces(*sample.tokenizer, tags, ids)) {
      const size_t at = sample.places.size();
      const bool scored = sample.tokens.weights.empty() || sample.tokens.weights[at] > 0;
      sample.counts.push_back(place.thinking && scored && int64_t(at) > sequence.first);
      sample.places.push_back(place);
    }
  }
  if (llvm::none_of(sample.counts, [](bool counts) { return counts; }))
    return qrt::invalidArgument("--derive-markers: no calibration token is inside a thinking; "
                                "--calib should be reasoning traces");
  return Status::ok();
}

/// The position predicts the next token of the table, and that one counts.
bool predicts(const MarkerSample &sample, int64_t position) {
  const auto next = static_cast<size_t>(position) + 1;
  return next < sample.counts.size() && sample.counts[next];
}

std::span<const float> rowOf(const calibration::Rows &rows, int64_t token) {
  return {rows.data + token * rows.width, static_cast<size_t>(rows.width)};
}

} // namespace

Status Compiler::sampleForMarkers() {
  if (!options.calibration || !options.calibration->deriveMarkers)
    return Status::ok();
  return timed("markers (before)", [&]() -> Status {
    QRT_ASSIGN_OR_RETURN(mlir::func::FuncOp function, mainFunction());
    markerSample = std::make_shared<MarkerSample>();
    MarkerSample &sample = *markerSample;
    QRT_ASSIGN_OR_RETURN(sample.tokens, options.calibration->read(function));
    QRT_RETURN_IF_ERROR(readTexts(report.modelFile, sample));
    sample.before.resize(sample.tokens.ids.size());
    return calibration::visitLogits(function, sample.tokens, options.calibration->quantizer.sweep,
                                    [&](const calibration::Rows &rows) {
                                      for (int64_t i = 0; i < rows.tokens; ++i)
                                        if (predicts(sample, rows.first + i))
                                          sample.before[rows.first + i] =
                                              qrt::likelyTokens(rowOf(rows, i));
                                      return Status::ok();
                                    });
  });
}

Status Compiler::deriveMarkers() {
  if (!markerSample)
    return Status::ok();
  return timed("markers (after)", [&]() -> Status {
    QRT_ASSIGN_OR_RETURN(mlir::func::FuncOp function, mainFunction());
    const MarkerSample &sample = *markerSample;
    qrt::MarkerEvidence evidence(sample.tokenizer, {});
    size_t sequence = 0;
    auto visit = [&](const calibration::Rows &rows) {
      for (int64_t i = 0; i < rows.tokens; ++i) {
        const int64_t position = rows.first + i;
        if (predicts(sample, position))
          evidence.add(sample.before[position], qrt::likelyTokens(rowOf(rows, i)),
                       sample.places[position + 1].lineStart);
        const auto &current = sample.tokens.sequences[sequence];
        if (position + 1 == current.first + current.tokens) {
          evidence.endText();
          ++sequence;
        }
      }
      return Status::ok();
    };
    QRT_RETURN_IF_ERROR(calibration::visitLogits(function, sample.tokens,
                                                 options.calibration->quantizer.sweep, visit));
    for (const auto &text : sample.tokens.sequences)
      evidence.readText(std::span(sample.tokens.ids).subspan(text.first, text.tokens));
    auto table = evidence.derive("derived");
    if (!table)
      return table.status().withContext("--derive-markers");
    const calibration::CalibrationStage &stage = *options.calibration;
    report.markers = qrt::markerTableJson(
        *table, "qopt --derive-markers, texts " +
                    (stage.data.file.empty() ? "of " + stage.self.prompts : stage.data.file));
    markerSample.reset();
    return Status::ok();
  });
}

} // namespace qopt
