//===- Library.cpp - The one symbol of libqrt_cuda.so ----------------------------------------===//
#include "Cuda/Context.h"
#include "Cuda/OpTable.h"

extern "C" [[gnu::visibility("default")]] const qrt::cuda::Table *qrtCudaTable() {
  static const qrt::cuda::Table table = [] {
    qrt::cuda::Table t = {};
    t.architectures = qrt::cuda::builtArchitectures();
    t.lastError = qrt::cuda::lastErrorText;
    t.probe = qrt::cuda::probe;
    t.deviceInfo = qrt::cuda::deviceInfo;
    qrt::cuda::fillContextFunctions(t);
    qrt::cuda::fillOperations(t);
    return t;
  }();
  return &table;
}
