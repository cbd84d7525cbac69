//===- Engine.cpp - Checks options and picks the kind of engine ------------------------------===//
#include "qrt/Engine.h"

#include "Engine/CudaEngine.h"
#include "Engine/GenericEngine.h"
#include "Engine/TokenMajorEngine.h"
#include "Format/AlternateSet.h"
#include "kernels/cpu/Isa.h"

namespace qrt {

static Status verifyOptions(const EngineOptions &options) {
  if (options.threads < 0 || options.threads > 1024)
    return invalidArgument("threads: " + std::to_string(options.threads) + ", not in 0 to 1024");
  if (options.prefillChunk < 1 || options.prefillChunk > 65536)
    return invalidArgument("prefill chunk: " + std::to_string(options.prefillChunk) +
                           " tokens, not in 1 to 65536");
  if (options.maxContext < 0 || options.maxContext > INT32_MAX)
    return invalidArgument("context: " + std::to_string(options.maxContext) +
                           " tokens, not in 0 to 2147483647");
  if (options.maxMemory < 0)
    return invalidArgument("memory limit: negative");
  return Status::ok();
}

Result<std::unique_ptr<Engine>> Engine::create(std::shared_ptr<const Model> model,
                                               const EngineOptions &options) {
  if (!model)
    return invalidArgument("no model");
  QRT_RETURN_IF_ERROR(verifyOptions(options));
  QRT_ASSIGN_OR_RETURN(const KvSpec kv, resolveKv(model->program().kv, options.kv));
  if (options.alternateWeights && alternateSet(model->program()).empty())
    return invalidArgument("'" + model->path() +
                           "' has no second weight set for FP16 planning and rescue; compile it "
                           "with qopt --with-fp16 all (or critical)");
  if (options.device.kind != DeviceKind::Cpu) {
    auto engine = CudaEngine::create(model, options);
    if (engine || options.device.kind == DeviceKind::Cuda)
      return engine;
    if (options.notice)
      options.notice("using the CPU: " + engine.status().message());
  }
  for (const TensorEntry &tensor : model->program().tensors)
    if (tensor.fragments)
      return unsupported(model->path() +
                         " was compiled with --target cuda: the CPU does not read "
                         "weights in the order of tensor cores ('" +
                         tensor.name + "' is the first)");
  QRT_RETURN_IF_ERROR(kernels::requestedIsa().status());
  if (model->program().kind == ProgramKind::TokenMajor)
    return TokenMajorEngine::create(std::move(model), options, kv);
  if (kv != KvSpec())
    return unsupported(model->path() +
                       ": a program that was not raised keeps keys and values as its "
                       "graph makes them, not as " +
                       kvText(kv));
  return GenericEngine::create(std::move(model), options);
}

} // namespace qrt
