//===- OpTable.cpp - {domain, operator, versions} -> importer ---------------------------------===//
#include "OpTable.h"

namespace qopt {

const OpRow *findOp(llvm::StringRef domain, llvm::StringRef name, int64_t opset) {
  if (domain == "ai.onnx")
    domain = "";
  const OpRow *best = nullptr;
  for (llvm::ArrayRef<OpRow> family :
       {elementwiseOps(), reductionOps(), shapeOps(), indexingOps(), matrixOps(), normOps(),
        rotaryOps(), attentionOps(), contribAttentionOps(), groupQueryAttentionOps(),
        quantizationOps(), blockQuantizedOps(), controlOps()})
    for (const OpRow &row : family)
      if (domain == row.domain && name == row.name && opset >= row.minOpset &&
          (!best || row.minOpset > best->minOpset))
        best = &row;
  return best;
}

} // namespace qopt
