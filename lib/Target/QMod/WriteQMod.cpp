//===- WriteQMod.cpp - A lowered function as a file ------------------------------------------===//
#include "qopt/Target/QMod.h"

#include "qopt/Support/WeightStore.h"

#include "kernels/cpu/attention/attention.h"

using namespace mlir;

namespace qopt {

static void releaseBlobs(Operation &op) {
  for (NamedAttribute attribute : op.getAttrs())
    if (auto value = dyn_cast<ElementsAttr>(attribute.getValue()))
      WeightStore::release(value);
}

/// Stored tensors by the blob they read: a blob is released when its last reader is written.
static llvm::DenseMap<Attribute, int> countReaders(func::FuncOp function) {
  llvm::DenseMap<Attribute, int> readers;
  for (auto op : function.getOps<qexec::WeightOp>())
    ++readers[op.getValue()];
  for (auto op : function.getOps<qexec::TensorOp>())
    ++readers[op.getValue()];
  return readers;
}

qrt::Status checkFragments(const qrt::Program &program, bool fragments) {
  if (fragments && program.kind != qrt::ProgramKind::TokenMajor)
    return qrt::unsupported("--target cuda needs a raised graph; this one runs op by op, on the "
                            "CPU");
  return qrt::Status::ok();
}

/// Unsupported: caches that cannot be stored so.
qrt::Status setKv(qrt::Program &program, const qrt::KvSpec &kv) {
  if (program.kind != qrt::ProgramKind::TokenMajor && kv != qrt::KvSpec())
    return qrt::unsupported(
        "a cache of " + qrt::kvText(kv) +
        " needs a raised graph; this one runs op by op and keeps keys and values "
        "as they are");
  for (const qrt::CacheSpec &cache : program.caches)
    QRT_RETURN_IF_ERROR(
        qrt::kernels::checkKvTypes(cache.headDim, kv.keys, cache.valueDim, kv.values));
  program.kv = kv;
  return qrt::Status::ok();
}

qrt::Result<std::vector<qrt::TensorEntry>> writeQMod(func::FuncOp function, const std::string &path,
                                                     const QModOptions &options) {
  QRT_ASSIGN_OR_RETURN(qrt::Program program, buildProgram(function));
  program.maxContext = options.maxContext;
  QRT_RETURN_IF_ERROR(setKv(program, options.kv));
  QRT_RETURN_IF_ERROR(checkFragments(program, options.fragments));
  QRT_ASSIGN_OR_RETURN(qrt::QmodWriter writer, qrt::QmodWriter::create(path));

  llvm::DenseMap<Attribute, int> readers = countReaders(function);
  auto isStored = [](Operation &op) { return isa<qexec::WeightOp, qexec::TensorOp>(op); };
  const int64_t total = llvm::count_if(function.getBody().front(), isStored);
  std::vector<qrt::TensorEntry> entries;
  for (Operation &op : function.getBody().front()) {
    if (!isStored(op))
      continue;
    auto weight = dyn_cast<qexec::WeightOp>(op);
    QRT_ASSIGN_OR_RETURN(qrt::TensorEntry entry,
                         weight ? writeWeight(weight, writer, options.fragments)
                                : writeTensor(cast<qexec::TensorOp>(op), writer));
    if (options.releaseWeights && --readers[op.getAttr("value")] == 0)
      releaseBlobs(op);
    if (options.onTensor && !options.onTensor(entries.size() + 1, total, entry))
      return qrt::Status::error(qrt::StatusCode::Interrupted,
                                "interrupted; '" + path + "' was not written");
    entries.push_back(std::move(entry));
  }
  for (const auto &[kind, bytes] : options.sections)
    QRT_RETURN_IF_ERROR(writer.addSection(kind, bytes));
  QRT_RETURN_IF_ERROR(writer.finish(std::move(program)));
  return entries;
}

} // namespace qopt
