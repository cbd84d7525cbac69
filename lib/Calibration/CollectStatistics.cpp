//===- CollectStatistics.cpp - One float sweep into a file ------------------------------------===//
#include "qopt/Calibration/Statistics.h"

#include "ChannelMoments.h"
#include "HessianRows.h"
#include "Lend.h"
#include "MemoryPlan.h"
#include "StatisticsLayout.h"

#include "Format/Checksum.h"
#include "Support/AtomicFile.h"

using namespace mlir;
using namespace qopt::quantization;
using qrt::Status;

namespace qopt::calibration {

namespace {

class Collector : public SweepVisitor {
public:
  explicit Collector(bool hessians) : hessians(hessians) {}

  /// Every linear, whatever its scheme will be.
  bool wants(qir::LinearOp linear) override {
    return linear.getW().getDefiningOp<qir::ConstantOp>() != nullptr;
  }

  qrt::Result<bool> begin(const LinearGroup &group, qrt::kernels::ThreadPool &pool) override {
    channels = std::make_unique<ChannelMoments>(group.features);
    if (hessians)
      hessian = makeHessian(group, pool);
    return true;
  }

  Status observe(const LinearGroup &, const Rows &rows, qrt::kernels::ThreadPool &pool) override {
    channels->add(rows, pool);
    if (hessian)
      addRows(*hessian, rows);
    return Status::ok();
  }

  Status finish(LinearGroup &group, qrt::kernels::ThreadPool &) override {
    const int64_t k = group.features;
    std::vector<float> squares, meanAbs, maxAbs, h(hessian ? k * k : 0);
    const bool finite =
        channels->finish(squares, &meanAbs, &maxAbs) && (!hessian || hessian->finish(h));
    if (group.products && !group.products->status())
      return group.products->status();
    if (!finite)
      return Status::error(qrt::StatusCode::BadCalibration,
                           "input of '" + weightName(group.linears[0].getW()) +
                               "': its values are not finite, or no token has a weight");
    if (hessian) { // what scale searches of a sweep without statistics see
      ChannelStatistics seen = hessian->channels();
      meanAbs = std::move(seen.meanAbs);
      maxAbs = std::move(seen.maxAbs);
    }
    for (const std::vector<float> *list : {&meanAbs, &maxAbs, &squares})
      QRT_RETURN_IF_ERROR(append(list->data(), list->size() * sizeof(float)));
    for (int64_t i = 0; i < k && hessian; ++i)
      QRT_RETURN_IF_ERROR(append(h.data() + i * k, (i + 1) * sizeof(float)));
    return Status::ok();
  }

  Status append(const void *data, size_t size) {
    sum.update(data, size);
    return file->write(data, size);
  }

  qrt::AtomicFile *file = nullptr;
  qrt::Checksum sum;

private:
  bool hessians;
  std::unique_ptr<ChannelMoments> channels;
  std::unique_ptr<HessianAccumulator> hessian;
};

} // namespace

Status Statistics::measure(const std::string &path, func::FuncOp function, const TokenTable &tokens,
                           const SweepOptions &options, int64_t maxMemory, bool hessians) {
  Collector collector(hessians);
  QRT_ASSIGN_OR_RETURN(std::vector<LinearGroup> groups, linearGroups(function, collector));
  qrt::OrderedJson header;
  header["qopt_statistics"] = statisticsVersion;
  header["hessians"] = hessians;
  header["fingerprint"] = statisticsFingerprint(function, tokens);
  header["tokens"] = tokens.weights.empty()
                         ? tokens.tokens()
                         : llvm::count_if(tokens.weights, [](float w) { return w > 0; });
  qrt::OrderedJson &list = header["groups"] = qrt::OrderedJson::array();
  for (const LinearGroup &group : groups) {
    qrt::OrderedJson names = qrt::OrderedJson::array();
    for (qir::LinearOp linear : group.linears)
      names.push_back(weightName(linear.getW()));
    list.push_back({{"weights", names}, {"features", group.features}});
  }
  SweepOptions sweep = options;
  QRT_ASSIGN_OR_RETURN(int64_t bytes, activationBytes(groups, maxMemory));
  sweep.maxActivationBytes = std::min(sweep.maxActivationBytes, bytes);
  QRT_ASSIGN_OR_RETURN(qrt::AtomicFile file, qrt::AtomicFile::create(path));
  collector.file = &file;
  const std::string line = qrt::dumpJson(header) + "\n";
  QRT_RETURN_IF_ERROR(collector.append(line.data(), line.size()));
  QRT_RETURN_IF_ERROR(runSweep(function, tokens, sweep, collector));
  const uint64_t digest = collector.sum.digest();
  QRT_RETURN_IF_ERROR(file.write(&digest, sizeof(digest)));
  return file.commit();
}

} // namespace qopt::calibration
