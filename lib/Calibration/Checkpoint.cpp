//===- Checkpoint.cpp - Finished groups of a sweep in a work directory -----------------------===//
#include "Checkpoint.h"

#include "Fingerprint.h"

#include "Format/Checksum.h"
#include "Support/AtomicFile.h"
#include "Support/MappedFile.h"
#include "kernels/cpu/Isa.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <cstring>

using qrt::OrderedJson;
using qrt::Status;

namespace qopt::calibration {

namespace {

constexpr int64_t checkpointVersion = 3;

OrderedJson toJson(const StoredLinear &linear) {
  const LinearReport &r = linear.report;
  return {{"name", r.name},
          {"scheme", r.scheme},
          {"rows", r.rows},
          {"columns", r.columns},
          {"tokens", r.tokens},
          {"energy", r.energy},
          {"loss_rtn", r.lossRtn},
          {"loss", r.loss},
          {"rms_error", r.rmsError},
          {"bits", r.bits},
          {"damping", r.damping},
          {"seconds", r.seconds},
          {"codes", linear.codes.size()},
          {"scales", linear.scales.size()},
          {"zero_points", linear.zeroPoints.size()},
          {"outlier_rows", linear.outliers.rows.size()},
          {"outliers", linear.outliers.values.size()}};
}

/// Our own file behind a checksum: its members are trusted, their types are not.
LinearReport reportFromJson(const qrt::Json &json) {
  LinearReport r;
  r.name = qrt::jsonString(json, "name").value_or("");
  r.scheme = qrt::jsonString(json, "scheme").value_or("");
  r.rows = qrt::jsonInt(json, "rows").value_or(0);
  r.columns = qrt::jsonInt(json, "columns").value_or(0);
  r.tokens = qrt::jsonInt(json, "tokens").value_or(0);
  r.energy = qrt::jsonNumber(json, "energy").value_or(0);
  r.lossRtn = qrt::jsonNumber(json, "loss_rtn").value_or(0);
  r.loss = qrt::jsonNumber(json, "loss").value_or(0);
  r.rmsError = qrt::jsonNumber(json, "rms_error").value_or(0);
  r.bits = qrt::jsonNumber(json, "bits").value_or(0);
  r.damping = qrt::jsonNumber(json, "damping").value_or(0);
  r.seconds = qrt::jsonNumber(json, "seconds").value_or(0);
  r.resumed = true;
  return r;
}

template <typename T>
bool take(std::string_view &bytes, const qrt::Json &json, const char *key, std::vector<T> &out) {
  const int64_t count = qrt::jsonInt(json, key).value_or(-1);
  if (count < 0 || static_cast<uint64_t>(count) > bytes.size() / sizeof(T))
    return false;
  out.resize(count);
  std::memcpy(out.data(), bytes.data(), count * sizeof(T));
  bytes.remove_prefix(count * sizeof(T));
  return true;
}

} // namespace

std::string Checkpoint::pathOf(int64_t group) const {
  std::string number = std::to_string(group);
  number.insert(0, 4 - std::min<size_t>(4, number.size()), '0');
  return directory + "/group-" + number + ".qcal";
}

static Status writeWhole(const std::string &path, std::string_view bytes) {
  QRT_ASSIGN_OR_RETURN(qrt::AtomicFile file, qrt::AtomicFile::create(path));
  QRT_RETURN_IF_ERROR(file.write(bytes.data(), bytes.size()));
  return file.commit();
}

/// Files of an earlier run. Others in the directory are left alone.
static Status removeGroups(const std::string &directory) {
  std::error_code error;
  for (llvm::sys::fs::directory_iterator it(directory, error), end; it != end && !error;
       it.increment(error)) {
    llvm::StringRef name = llvm::sys::path::filename(it->path());
    if (name.starts_with("group-") && name.ends_with(".qcal"))
      if (std::error_code failed = llvm::sys::fs::remove(it->path()))
        return qrt::cannotWrite("'" + it->path() + "' cannot be removed: " + failed.message());
  }
  return Status::ok();
}

qrt::Result<Checkpoint> Checkpoint::open(const std::string &directory,
                                         const OrderedJson &fingerprint, bool resume, bool force) {
  if (std::error_code error = llvm::sys::fs::create_directories(directory))
    return qrt::cannotWrite("'" + directory + "' cannot be made: " + error.message());
  const std::string path = directory + "/run.json";
  if (resume && llvm::sys::fs::exists(path)) {
    QRT_ASSIGN_OR_RETURN(std::string text, qrt::readFile(path));
    auto stored = qrt::parseOrderedJson(text, "'" + path + "'");
    std::string differing;
    for (const auto &[key, value] : fingerprint.items())
      if (!stored || !stored->is_object() || !stored->contains(key) || (*stored)[key] != value)
        differing += (differing.empty() ? "" : ", ") + key;
    if (!differing.empty() && !force)
      return Status::error(qrt::StatusCode::ResumeMismatch,
                           "'" + directory + "' holds the work of another run (different: " +
                               differing + "); start over without --resume, or use --force");
    if (differing.empty())
      return Checkpoint(directory);
  } else {
    QRT_RETURN_IF_ERROR(removeGroups(directory));
  }
  QRT_RETURN_IF_ERROR(writeWhole(path, qrt::dumpJson(fingerprint, 2) + "\n"));
  return Checkpoint(directory);
}

std::optional<std::vector<StoredLinear>> Checkpoint::read(int64_t group) const {
  const std::string path = pathOf(group);
  if (!llvm::sys::fs::exists(path))
    return std::nullopt;
  auto file = qrt::MappedFile::open(path);
  if (!file || file->size() < sizeof(uint64_t))
    return std::nullopt;
  std::string_view bytes = file->text();
  uint64_t sum = 0;
  std::memcpy(&sum, bytes.data() + bytes.size() - sizeof(sum), sizeof(sum));
  bytes.remove_suffix(sizeof(sum));
  if (sum != qrt::Checksum::of({reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()}))
    return std::nullopt;
  const size_t line = std::min(bytes.find('\n'), bytes.size());
  auto header = qrt::parseJson(bytes.substr(0, line), path);
  bytes.remove_prefix(std::min(line + 1, bytes.size()));
  if (!header || !header->is_array())
    return std::nullopt;
  std::vector<StoredLinear> linears;
  for (const qrt::Json &json : *header) {
    StoredLinear linear;
    linear.report = reportFromJson(json);
    if (!take(bytes, json, "codes", linear.codes) || !take(bytes, json, "scales", linear.scales) ||
        !take(bytes, json, "zero_points", linear.zeroPoints) ||
        !take(bytes, json, "outlier_rows", linear.outliers.rows) ||
        !take(bytes, json, "outliers", linear.outliers.columns) ||
        !take(bytes, json, "outliers", linear.outliers.values))
      return std::nullopt;
    linear.report.outliers = static_cast<int64_t>(linear.outliers.values.size());
    linears.push_back(std::move(linear));
  }
  return linears;
}

Status Checkpoint::write(int64_t group, const std::vector<StoredLinear> &linears) const {
  OrderedJson header = OrderedJson::array();
  for (const StoredLinear &linear : linears)
    header.push_back(toJson(linear));
  QRT_ASSIGN_OR_RETURN(qrt::AtomicFile file, qrt::AtomicFile::create(pathOf(group)));
  qrt::Checksum sum;
  auto append = [&](const void *data, size_t size) {
    sum.update(data, size);
    return file.write(data, size);
  };
  std::string line = qrt::dumpJson(header) + "\n";
  QRT_RETURN_IF_ERROR(append(line.data(), line.size()));
  for (const StoredLinear &linear : linears) {
    QRT_RETURN_IF_ERROR(append(linear.codes.data(), linear.codes.size()));
    QRT_RETURN_IF_ERROR(append(linear.scales.data(), linear.scales.size() * sizeof(uint16_t)));
    QRT_RETURN_IF_ERROR(append(linear.zeroPoints.data(), linear.zeroPoints.size()));
    const quantization::SparseWeights &sparse = linear.outliers;
    QRT_RETURN_IF_ERROR(append(sparse.rows.data(), sparse.rows.size() * sizeof(int32_t)));
    QRT_RETURN_IF_ERROR(append(sparse.columns.data(), sparse.columns.size() * sizeof(uint16_t)));
    QRT_RETURN_IF_ERROR(append(sparse.values.data(), sparse.values.size() * sizeof(uint16_t)));
  }
  const uint64_t digest = sum.digest();
  QRT_RETURN_IF_ERROR(file.write(&digest, sizeof(digest)));
  return file.commit();
}

OrderedJson fingerprintOf(mlir::func::FuncOp function, const TokenTable &tokens,
                          const CalibratedOptions &options) {
  const quantization::GptqOptions &gptq = options.gptq;
  OrderedJson json;
  json["format"] = checkpointVersion;
  json["model"] = fingerprintWeights(function);
  json["graph and schemes"] = fingerprintGraph(function, /*schemes=*/true);
  json["calibration tokens"] = fingerprintTokens(tokens);
  json["options"] = {static_cast<int>(options.algorithm),
                     static_cast<int>(gptq.order),
                     static_cast<int>(gptq.search),
                     gptq.staticGroups,
                     gptq.clipRatios,
                     gptq.damping,
                     gptq.rounds,
                     gptq.refitScales,
                     gptq.descentPasses,
                     options.statistics != nullptr,
                     options.targetCorrection,
                     static_cast<int>(options.arithmetic)};
  json["instruction set"] = qrt::kernels::isaName(qrt::kernels::activeIsa());
  return json;
}

} // namespace qopt::calibration
