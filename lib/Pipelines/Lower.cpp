//===- Lower.cpp - The qopt-lower pipeline ---------------------------------------------------===//
#include "qopt/Conversion/Passes.h"
#include "qopt/Dialect/QExec/Transforms/Passes.h"
#include "qopt/Pipelines/Pipelines.h"

using namespace mlir;

void qopt::buildLowerPipeline(OpPassManager &pm) {
  pm.addNestedPass<func::FuncOp>(createConvertQIRToQExec());
  pm.addNestedPass<func::FuncOp>(qexec::createSelectRows());
  pm.addNestedPass<func::FuncOp>(qexec::createPlanMemory());
}
