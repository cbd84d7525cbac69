/*===- qrt/qrt.h - The runtime's C interface --------------------------------------------------===*/
/* Load a .qmod file and advance sequences of token ids; everything about text (tokenizer, template,
 * sampling) is on the C++ side. Link with libqrt.
 *
 * Errors: functions return 0 (QRT_OK) or a status code, the same numbers as the exit codes of the
 * commands (docs/cli.md); qrt_last_error() has the message. Handles and pointers are set to NULL on
 * error. No C++ exception and no abort crosses this interface.
 * Thread safety: a model may be shared by threads; an engine belongs to one thread at a time. The
 * last error is per thread.
 * Units: token counts and lengths are tokens, memory is bytes, logits are f32. */
#ifndef QRT_QRT_H
#define QRT_QRT_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define QRT_API __attribute__((visibility("default")))
#else
#define QRT_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct qrt_model qrt_model;
typedef struct qrt_engine qrt_engine;

enum {
  QRT_OK = 0,
  QRT_INTERNAL = 1,
  QRT_INVALID_ARGUMENT = 2,
  QRT_CANNOT_READ = 3,
  QRT_INVALID_MODEL = 4,
  QRT_UNSUPPORTED = 5,
  QRT_RESOURCE_EXHAUSTED = 7
};

/* "0.1.0" */
QRT_API const char *qrt_version(void);
/* Message of this thread's last failed call, "" if none failed; valid until the next failing call.
 */
QRT_API const char *qrt_last_error(void);

/* Maps and verifies a file; verify_checksums != 0 also reads and checks all weights. */
QRT_API int qrt_model_load(const char *path, int verify_checksums, qrt_model **out);
/* Engines keep their model alive: it may be freed before them. NULL is allowed. */
QRT_API void qrt_model_free(qrt_model *model);
QRT_API int32_t qrt_model_vocab_size(const qrt_model *model);
/* Tokens the model was made for, 0 if the file does not say. */
QRT_API int64_t qrt_model_max_context(const qrt_model *model);
/* Bytes of a text section: "tokenizer", "tokenizer_config", "chat_template", "generation_config",
 * "config", "recipe", "provenance", "markers". NULL and *size 0 where absent; not terminated by
 * a zero byte; lives as long as the model. */
QRT_API const char *qrt_model_section(const qrt_model *model, const char *name, size_t *size);

enum {
  QRT_KV_MODEL = -1, /* what the file says */
  QRT_KV_F32 = 0,
  QRT_KV_F16 = 1,
  QRT_KV_BF16 = 2,
  QRT_KV_INT8 = 3,
  QRT_KV_INT4 = 4
};
typedef struct qrt_engine_options {
  size_t struct_size;    /* sizeof(qrt_engine_options): later fields are added behind */
  int32_t threads;       /* 0 = all processors */
  int32_t kv_type;       /* QRT_KV_... */
  int64_t max_context;   /* tokens per sequence, 0 = the model's */
  int64_t prefill_chunk; /* tokens per run, 0 = default */
  int64_t max_memory;    /* bytes for activations and KV cache, 0 = what is free */
} qrt_engine_options;

/* options may be NULL. */
QRT_API int qrt_engine_create(const qrt_model *model, const qrt_engine_options *options,
                              qrt_engine **out);
QRT_API void qrt_engine_free(qrt_engine *engine);

QRT_API int qrt_sequence_add(qrt_engine *engine, int32_t *sequence);
QRT_API void qrt_sequence_release(qrt_engine *engine, int32_t sequence);
/* Tokens in the sequence, -1 if there is no such sequence. */
QRT_API int64_t qrt_sequence_length(const qrt_engine *engine, int32_t sequence);
QRT_API int qrt_sequence_truncate(qrt_engine *engine, int32_t sequence, int64_t length);

enum { QRT_LOGITS_NONE = 0, QRT_LOGITS_LAST = 1, QRT_LOGITS_ALL = 2 };
typedef struct qrt_chunk {
  int32_t sequence;
  int32_t logits; /* QRT_LOGITS_... */
  const int32_t *tokens;
  int64_t count; /* at least 1 */
} qrt_chunk;

/* Advances each chunk's sequence (at most one chunk per sequence). *logits: [*rows, vocab] floats
 * in chunk order, valid until the next call with this engine; either pointer may be NULL. */
QRT_API int qrt_step(qrt_engine *engine, const qrt_chunk *chunks, size_t num_chunks,
                     const float **logits, int64_t *rows);

#ifdef __cplusplus
}
#endif

#endif /* QRT_QRT_H */
