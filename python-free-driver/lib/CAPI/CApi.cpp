//===- CApi.cpp - The C interface over Model and Engine --------------------------------------===//
// Thin: checks pointers, converts structs, turns Status into a number and a message, and stops
// exceptions (only memory exhaustion inside the standard library can raise one).
#include "qrt/qrt.h"

#include "qrt/Engine.h"
#include "qrt/Model.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>

using namespace qrt;

struct qrt_model {
  std::shared_ptr<const Model> model;
};
struct qrt_engine {
  std::unique_ptr<Engine> engine;
};

static thread_local std::string lastError;

static int report(const Status &status) {
  if (!status.isOk())
    lastError = status.message();
  return status.exitCode();
}

/// Runs `body`, which returns a Status, and reports it.
template <class Body>
static int guarded(Body body) {
  try {
    return report(body());
  } catch (const std::bad_alloc &) {
    return report(resourceExhausted("the system refused memory"));
  } catch (const std::exception &error) {
    return report(internalError(error.what()));
  }
}

const char *qrt_version(void) { return QRT_VERSION; }
const char *qrt_last_error(void) { return lastError.c_str(); }

int qrt_model_load(const char *path, int verify_checksums, qrt_model **out) {
  if (out)
    *out = nullptr;
  return guarded([&]() -> Status {
    if (!path || !out)
      return invalidArgument("qrt_model_load: path or out is NULL");
    QRT_ASSIGN_OR_RETURN(auto model, Model::load(path, {.verifyChecksums = verify_checksums != 0}));
    *out = new qrt_model{std::move(model)};
    return Status::ok();
  });
}

void qrt_model_free(qrt_model *model) { delete model; }
int32_t qrt_model_vocab_size(const qrt_model *model) {
  return model ? model->model->program().vocabSize : 0;
}
int64_t qrt_model_max_context(const qrt_model *model) {
  return model ? model->model->program().maxContext : 0;
}

const char *qrt_model_section(const qrt_model *model, const char *name, size_t *size) {
  std::string_view content;
  for (uint32_t kind = uint32_t(SectionKind::Tokenizer); kind <= uint32_t(SectionKind::Markers);
       ++kind)
    if (model && name && std::strcmp(name, sectionName(SectionKind(kind))) == 0)
      content = model->model->section(SectionKind(kind));
  if (size)
    *size = content.size();
  return content.empty() ? nullptr : content.data();
}

static Result<EngineOptions> convert(const qrt_engine_options &from) {
  EngineOptions options;
  if (from.struct_size != sizeof(qrt_engine_options))
    return invalidArgument("qrt_engine_options.struct_size: " + std::to_string(from.struct_size) +
                           ", not " + std::to_string(sizeof(qrt_engine_options)));
  if (from.kv_type < QRT_KV_MODEL || from.kv_type > QRT_KV_INT4)
    return invalidArgument("qrt_engine_options.kv_type: " + std::to_string(from.kv_type));
  const DType types[] = {DType::F32, DType::F16, DType::BF16, DType::I8, DType::I4};
  if (from.kv_type != QRT_KV_MODEL)
    options.kv.keys = options.kv.values = types[from.kv_type];
  options.threads = from.threads;
  options.maxContext = from.max_context;
  options.maxMemory = from.max_memory;
  if (from.prefill_chunk != 0)
    options.prefillChunk = from.prefill_chunk;
  return options;
}

int qrt_engine_create(const qrt_model *model, const qrt_engine_options *options, qrt_engine **out) {
  if (out)
    *out = nullptr;
  return guarded([&]() -> Status {
    if (!model || !out)
      return invalidArgument("qrt_engine_create: model or out is NULL");
    EngineOptions converted;
    if (options) {
      QRT_ASSIGN_OR_RETURN(converted, convert(*options));
    }
    QRT_ASSIGN_OR_RETURN(auto engine, Engine::create(model->model, converted));
    *out = new qrt_engine{std::move(engine)};
    return Status::ok();
  });
}

void qrt_engine_free(qrt_engine *engine) { delete engine; }

int qrt_sequence_add(qrt_engine *engine, int32_t *sequence) {
  return guarded([&]() -> Status {
    if (!engine || !sequence)
      return invalidArgument("qrt_sequence_add: engine or sequence is NULL");
    QRT_ASSIGN_OR_RETURN(*sequence, engine->engine->addSequence());
    return Status::ok();
  });
}

void qrt_sequence_release(qrt_engine *engine, int32_t sequence) {
  if (engine)
    engine->engine->release(sequence);
}

int64_t qrt_sequence_length(const qrt_engine *engine, int32_t sequence) {
  return engine ? engine->engine->length(sequence) : -1;
}

int qrt_sequence_truncate(qrt_engine *engine, int32_t sequence, int64_t length) {
  return guarded([&]() -> Status {
    if (!engine)
      return invalidArgument("qrt_sequence_truncate: engine is NULL");
    return engine->engine->truncate(sequence, length);
  });
}

int qrt_step(qrt_engine *engine, const qrt_chunk *chunks, size_t num_chunks, const float **logits,
             int64_t *rows) {
  if (logits)
    *logits = nullptr;
  if (rows)
    *rows = 0;
  return guarded([&]() -> Status {
    if (!engine || (!chunks && num_chunks > 0))
      return invalidArgument("qrt_step: engine or chunks is NULL");
    std::vector<Engine::Chunk> converted;
    for (size_t i = 0; i < num_chunks; ++i) {
      const qrt_chunk &chunk = chunks[i];
      if (!chunk.tokens || chunk.count < 1 || chunk.logits < QRT_LOGITS_NONE ||
          chunk.logits > QRT_LOGITS_ALL)
        return invalidArgument("qrt_step: chunk " + std::to_string(i) +
                               " has no tokens or an unknown kind of logits");
      const Engine::Logits kinds[] = {Engine::Logits::None, Engine::Logits::Last,
                                      Engine::Logits::All};
      converted.push_back(
          {chunk.sequence, {chunk.tokens, static_cast<size_t>(chunk.count)}, kinds[chunk.logits]});
    }
    QRT_ASSIGN_OR_RETURN(Engine::StepResult result, engine->engine->step(converted));
    if (logits)
      *logits = result.logits;
    if (rows)
      *rows = result.rows;
    return Status::ok();
  });
}
