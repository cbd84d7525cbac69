//===- GenericEngine.h - Executes programs that were not raised ------------------------------===//
#ifndef QRT_ENGINE_GENERICENGINE_H
#define QRT_ENGINE_GENERICENGINE_H

#include "qrt/Engine.h"

namespace qrt {

class GenericEngine {
public:
  static Result<std::unique_ptr<Engine>> create(std::shared_ptr<const Model> model,
                                                const EngineOptions &options);
};

} // namespace qrt

#endif // QRT_ENGINE_GENERICENGINE_H
