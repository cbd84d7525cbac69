//===- Remarks.h - Remarks of passes on the command line -------------------------------------===//
#ifndef QOPT_TOOLS_QOPT_REMARKS_H
#define QOPT_TOOLS_QOPT_REMARKS_H

#include "qrt/Status.h"

#include "mlir/IR/MLIRContext.h"

#include <string>

namespace qopt {

/// Shows remarks whose category matches `filter` on stderr, one line each, or writes them as YAML
/// to `file` if that is not empty. An empty filter leaves remarks off.
qrt::Status enableRemarks(mlir::MLIRContext &context, const std::string &filter,
                          const std::string &file);

} // namespace qopt

#endif // QOPT_TOOLS_QOPT_REMARKS_H
