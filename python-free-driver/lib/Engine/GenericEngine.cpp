//===- GenericEngine.cpp - Executes programs that were not raised ----------------------------===//
#include "Engine/GenericEngine.h"

namespace qrt {

Result<std::unique_ptr<Engine>> GenericEngine::create(std::shared_ptr<const Model> model,
                                                      const EngineOptions &) {
  return unsupported(model->path() + ": generic programs need the tensor library");
}

} // namespace qrt
