/* greedy.c - The runtime inside another program, through its C interface (qrt/qrt.h).
 * Continues a list of token ids greedily:
 *
 *   greedy MODEL.qmod N ID [ID...]      prints the N ids that follow, one line
 *
 * Exit codes are those of qrun (docs/cli.md), since the functions return them. */
#include "qrt/qrt.h"

#include <stdio.h>
#include <stdlib.h>

static int32_t largest(const float *logits, int32_t count) {
  int32_t best = 0;
  for (int32_t i = 1; i < count; ++i)
    if (logits[i] > logits[best])
      best = i;
  return best;
}

static int fail(int code) {
  fprintf(stderr, "greedy: %s\n", qrt_last_error());
  return code;
}

/* Feeds the prompt, then each chosen token, and prints what it chose. */
static int generate(qrt_engine *engine, int32_t vocab, const int32_t *prompt, int64_t length,
                    long count) {
  int32_t sequence, token = 0;
  int code = qrt_sequence_add(engine, &sequence);
  for (long i = 0; code == QRT_OK && i < count; ++i) {
    qrt_chunk chunk = {sequence, QRT_LOGITS_LAST, i == 0 ? prompt : &token, i == 0 ? length : 1};
    const float *logits;
    code = qrt_step(engine, &chunk, 1, &logits, NULL);
    if (code == QRT_OK) {
      token = largest(logits, vocab);
      printf(i == 0 ? "%d" : " %d", (int)token);
    }
  }
  printf("\n");
  return code == QRT_OK ? 0 : fail(code);
}

int main(int argc, char **argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: greedy MODEL.qmod N ID [ID...]\n");
    return QRT_INVALID_ARGUMENT;
  }
  int64_t length = argc - 3;
  int32_t *prompt = malloc((size_t)length * sizeof *prompt);
  if (!prompt)
    return QRT_RESOURCE_EXHAUSTED;
  for (int64_t i = 0; i < length; ++i)
    prompt[i] = (int32_t)strtol(argv[3 + i], NULL, 10);

  qrt_model *model = NULL;
  qrt_engine *engine = NULL;
  int code = qrt_model_load(argv[1], 0, &model);
  if (code == QRT_OK)
    code = qrt_engine_create(model, NULL, &engine);
  if (code == QRT_OK)
    code = generate(engine, qrt_model_vocab_size(model), prompt, length, strtol(argv[2], NULL, 10));
  else
    fail(code);
  qrt_engine_free(engine);
  qrt_model_free(model);
  free(prompt);
  return code;
}
