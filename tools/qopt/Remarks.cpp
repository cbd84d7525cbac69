//===- Remarks.cpp - Remarks of passes on the command line -----------------------------------===//
#include "Remarks.h"

#include "mlir/IR/Remarks.h"
#include "mlir/Remark/RemarkStreamer.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace qopt {

namespace {
/// One line per remark.
struct StderrStreamer : remark::detail::MLIRRemarkStreamerBase {
  void streamOptimizationRemark(const remark::detail::Remark &remark) override {
    std::string line;
    llvm::raw_string_ostream os(line);
    remark.print(os);
    llvm::errs() << "qopt: " << line << "\n";
  }
};
} // namespace

qrt::Status enableRemarks(MLIRContext &context, const std::string &filter,
                          const std::string &file) {
  if (filter.empty())
    return qrt::Status::ok();
  std::string error;
  if (!llvm::Regex(filter).isValid(error))
    return qrt::invalidArgument("--remarks-filter: '" + filter + "': " + error);
  remark::RemarkCategories categories{filter, filter, filter, filter, filter};
  auto policy = std::make_unique<remark::RemarkEmittingPolicyAll>();
  LogicalResult enabled =
      file.empty() ? remark::enableOptimizationRemarks(context, std::make_unique<StderrStreamer>(),
                                                       std::move(policy), categories)
                   : remark::enableOptimizationRemarksWithLLVMStreamer(
                         context, file, llvm::remarks::Format::YAML, std::move(policy), categories);
  if (failed(enabled))
    return qrt::cannotWrite("remarks cannot be written to '" + file + "'");
  return qrt::Status::ok();
}

} // namespace qopt
