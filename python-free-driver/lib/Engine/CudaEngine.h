//===- CudaEngine.h - Executes raised programs on a CUDA device ------------------------------===//
#ifndef QRT_ENGINE_CUDAENGINE_H
#define QRT_ENGINE_CUDAENGINE_H

#include "qrt/Engine.h"

namespace qrt {

class CudaEngine {
public:
  static Result<std::unique_ptr<Engine>> create(std::shared_ptr<const Model> model,
                                                const EngineOptions &options);
};

} // namespace qrt

#endif // QRT_ENGINE_CUDAENGINE_H
