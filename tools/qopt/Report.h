//===- Report.h - What qopt says at the end --------------------------------------------------===//
#ifndef QOPT_TOOLS_QOPT_REPORT_H
#define QOPT_TOOLS_QOPT_REPORT_H

#include "qopt/Pipelines/Compiler.h"

#include "llvm/Support/raw_ostream.h"

namespace qopt {

/// Table for people: schemes with counts, bits per weight and sizes, the worst errors, seconds and
/// peak memory.
void printReport(const CompileReport &report, const std::string &output, llvm::raw_ostream &os);
/// The same as one JSON object.
void printReportJson(const CompileReport &report, const std::string &output, llvm::raw_ostream &os);
/// The JSON report as a file, complete or not at all.
qrt::Status writeReport(const CompileReport &report, const std::string &output,
                        const std::string &file);

} // namespace qopt

#endif // QOPT_TOOLS_QOPT_REPORT_H
