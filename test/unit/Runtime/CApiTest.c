/*===-- CApiTest.c - the C API, used from C -----------------------*- C -*-===*\
|* Part of RLX, under the Apache License v2.0 with LLVM Exceptions.           *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
\*===----------------------------------------------------------------------===*/
/* Compiled as C11: every function of rlx.h, its results and its errors. The
 * exit status is the number of failed checks. */
#include "FakeModel.h"

#include "rlx/runtime/rlx.h"

#include <stdio.h>
#include <string.h>

static int failures;

#define CHECK(condition)                                                                           \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      ++failures;                                                                                  \
      fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition, rlx_last_error());        \
    }                                                                                              \
  } while (0)

static _Alignas(RLX_ALIGNMENT) const uint8_t weights[FAKE_WEIGHTS] = {2};

static bool count_row(void *context, uint64_t index, const float *row, size_t vocab_size) {
  uint64_t *rows = context;
  CHECK(index == *rows && vocab_size == FAKE_VOCAB && row[0] >= 2.0f);
  return ++*rows < 1000;
}

static bool take_three(void *context, int32_t token) {
  int *left = context;
  CHECK(token >= 0 && token < FAKE_VOCAB);
  return --*left > 0;
}

static rlx_program_t *open_fake(void) {
  rlx_program_t *program = NULL;
  rlx_program_options_t options;
  rlx_program_options_init(&options);
  options.threads = 2;
  CHECK(rlx_program_open_query(rlx_query, weights, sizeof(weights),
                               "{\"model\": {\"eos_token_ids\": [1, 39]}}", &options,
                               &program) == RLX_OK);
  return program;
}

static void test_program(rlx_program_t *program) {
  const int32_t *eos = NULL;
  CHECK(rlx_program_table(program)->vocab_size == FAKE_VOCAB);
  CHECK(rlx_program_eos_ids(program, &eos) == 2 && eos[1] == 39);
  CHECK(strstr(rlx_program_config(program), "eos_token_ids") != NULL);

  rlx_program_t *other = NULL;
  CHECK(rlx_program_open("/nonexistent", NULL, &other) == RLX_BAD_FILE);
  CHECK(strstr(rlx_last_error(), "/nonexistent: cannot open the model") != NULL);
  CHECK(rlx_program_open_query(rlx_query, weights, 8, NULL, NULL, &other) == RLX_BAD_FILE);
  CHECK(rlx_program_open_query(NULL, weights, 8, NULL, NULL, &other) == RLX_INVALID_ARGUMENT);
  CHECK(rlx_program_open(NULL, NULL, &other) == RLX_INVALID_ARGUMENT);
  rlx_program_options_t stale = {0};
  CHECK(rlx_program_open("x", &stale, &other) == RLX_INVALID_ARGUMENT);
  CHECK(strstr(rlx_last_error(), "struct_size") != NULL);
  CHECK(other == NULL);
}

static void test_appending(rlx_session_t *session) {
  const int32_t ids[] = {3, 1, 4, 1, 5, 9, 2, 6};
  const int32_t *tokens = NULL;
  const float *logits = NULL, *hidden = NULL;
  int32_t announced = -1, token = -2;
  uint64_t rows = 0;
  CHECK(rlx_session_logits(session, &logits) == RLX_INVALID_STATE && logits == NULL);
  CHECK(rlx_session_step(session, &token) == RLX_INVALID_STATE && token == -2);
  CHECK(rlx_session_prefill(session, ids, 5) == RLX_OK);
  CHECK(rlx_session_prefill_all(session, ids + 5, 3, count_row, &rows) == RLX_OK && rows == 3);
  CHECK(rlx_session_logits(session, &logits) == RLX_OK && logits != NULL);
  CHECK(rlx_session_hidden(session, &hidden) == RLX_OK && hidden[1] == hidden[0] + 1);
  CHECK(rlx_session_sample(session, &announced) == RLX_OK);
  CHECK(rlx_session_step(session, &token) == RLX_OK && token == announced);
  CHECK(rlx_session_step_forced(session, 7) == RLX_OK);
  CHECK(strcmp(rlx_session_last_variant(session), "decode") == 0);
  CHECK(rlx_session_past_len(session) == 10);
  CHECK(rlx_session_tokens(session, &tokens) == 10 && tokens[7] == 6 && tokens[9] == 7);
  CHECK(rlx_session_prefill(session, ids, 0) == RLX_INVALID_ARGUMENT);
  CHECK(rlx_session_step_forced(session, FAKE_VOCAB) == RLX_INVALID_ARGUMENT);
  CHECK(rlx_session_rewind(session, 4) == RLX_OK && rlx_session_past_len(session) == 4);
  CHECK(rlx_session_rewind(session, 5) == RLX_INVALID_ARGUMENT);
  rows = 0;
  CHECK(rlx_session_forward(session, ids, 8, count_row, &rows) == RLX_OK && rows == 8);
  CHECK(rlx_session_past_len(session) == 4);
}

static void test_generation(rlx_session_t *session) {
  rlx_generate_options_t options;
  rlx_sampling_t sampling;
  rlx_stop_reason_t reason = RLX_STOP_ID;
  int left = 3;
  const int32_t prompt[] = {2, 7, 1};
  CHECK(rlx_session_clear(session) == RLX_OK && rlx_session_past_len(session) == 0);
  CHECK(rlx_session_prefill(session, prompt, 3) == RLX_OK);
  rlx_sampling_init(&sampling);
  sampling.temperature = 1;
  sampling.seed = 3;
  CHECK(rlx_session_set_sampling(session, &sampling) == RLX_OK);
  sampling.top_p = 2;
  CHECK(rlx_session_set_sampling(session, &sampling) == RLX_INVALID_ARGUMENT);
  rlx_generate_options_init(&options);
  options.ignore_eos = true;
  options.max_tokens = 6;
  CHECK(rlx_session_generate(session, &options, &reason) == RLX_OK);
  CHECK(reason == RLX_STOP_MAX_TOKENS && rlx_session_past_len(session) == 9);
  options.callback = take_three;
  options.context = &left;
  CHECK(rlx_session_generate(session, &options, &reason) == RLX_OK);
  CHECK(reason == RLX_STOP_CALLBACK && rlx_session_past_len(session) == 12);
  left = 2;
  CHECK(rlx_session_generate_naive(session, prompt, 3, &options, &reason) == RLX_OK);
  CHECK(reason == RLX_STOP_CALLBACK && left == 0 && rlx_session_past_len(session) == 12);
  left = 3;
  options.leave_last = true;
  CHECK(rlx_session_generate(session, &options, &reason) == RLX_OK);
  CHECK(reason == RLX_STOP_CALLBACK && left == 0 && rlx_session_past_len(session) == 14);
}

/* The same tokens with a draft model; each of its drafts is right here. */
static void test_speculation(rlx_session_t *session, rlx_session_t *draft) {
  rlx_generate_options_t options;
  rlx_speculation_stats_t stats = {7, 7, 7};
  rlx_stop_reason_t reason;
  const int32_t prompt[] = {2, 7, 1}, replay[] = {5, 6, 7, 5, 6, 7, 5, 6, 7};
  const int32_t *tokens = NULL;
  int32_t expected[23];
  rlx_generate_options_init(&options);
  CHECK(options.speculation == RLX_SPECULATION_AUTO && options.draft_max == 8);
  options.max_tokens = 20;
  options.ignore_eos = true;
  options.stats = &stats;
  options.speculation = RLX_SPECULATION_OFF;
  CHECK(rlx_session_clear(session) == RLX_OK);
  CHECK(rlx_session_prefill(session, prompt, 3) == RLX_OK);
  CHECK(rlx_session_generate(session, &options, &reason) == RLX_OK);
  CHECK(stats.steps == 20 && stats.drafted == 0 && stats.accepted == 0);
  CHECK(rlx_session_tokens(session, &tokens) == 23);
  memcpy(expected, tokens, sizeof(expected));
  options.speculation = RLX_SPECULATION_DRAFT;
  CHECK(rlx_session_generate(session, &options, &reason) == RLX_INVALID_ARGUMENT);
  options.draft = draft;
  CHECK(rlx_session_rewind(session, 2) == RLX_OK);
  CHECK(rlx_session_prefill(session, prompt + 2, 1) == RLX_OK);
  CHECK(rlx_session_generate(session, &options, &reason) == RLX_OK);
  CHECK(stats.steps == 4 && stats.drafted == 16 && stats.accepted == 16);
  CHECK(rlx_session_tokens(session, &tokens) == 23);
  CHECK(memcmp(expected, tokens, sizeof(expected)) == 0);
  options.draft = NULL;
  options.speculation = RLX_SPECULATION_NGRAM;
  options.replay = replay;
  options.replay_count = 9;
  CHECK(rlx_session_generate(session, &options, &reason) == RLX_OK);
  CHECK(stats.steps + stats.accepted == 9 && stats.accepted > 0);
  CHECK(rlx_session_tokens(session, &tokens) == 32 && tokens[31] == 7);
  options.replay = NULL;
  CHECK(rlx_session_generate(session, &options, &reason) == RLX_INVALID_ARGUMENT);
}

static void test_reading(rlx_session_t *session) {
  float k[8], v[8];
  size_t floats = 0;
  rlx_memory_t memory;
  CHECK(rlx_session_kv(session, 0, 2, k, v, 8, &floats) == RLX_OK && floats == 4);
  /* The prompt's third id is 1: x = 10. */
  CHECK(k[0] == (10 + 7 * 2) % FAKE_MODULUS && v[1] == 20);
  floats = 0;
  CHECK(rlx_session_kv(session, 1, 2, k, v, 5, &floats) == RLX_INVALID_ARGUMENT && floats == 6);
  CHECK(rlx_session_memory(session, &memory) == RLX_OK && memory.weights == FAKE_WEIGHTS);
  CHECK(rlx_session_set_variant(session, "generic") == RLX_OK);
  CHECK(rlx_session_step_forced(session, 1) == RLX_OK);
  CHECK(strcmp(rlx_session_last_variant(session), "generic") == 0);
  CHECK(rlx_session_set_variant(session, "none") == RLX_INVALID_ARGUMENT);
}

static void test_null(void) {
  int32_t token;
  CHECK(rlx_session_step(NULL, &token) == RLX_INVALID_ARGUMENT);
  CHECK(strstr(rlx_last_error(), "expected a session but got a null pointer") != NULL);
  CHECK(rlx_session_past_len(NULL) == 0 && rlx_session_tokens(NULL, NULL) == 0);
  rlx_session_destroy(NULL);
  rlx_program_close(NULL);
}

int main(void) {
  rlx_program_t *program = open_fake();
  rlx_session_t *session = NULL, *draft = NULL;
  rlx_session_options_t options;
  rlx_session_options_init(&options);
  options.max_context = FAKE_CONTEXT + 1;
  CHECK(rlx_session_create(program, &options, &session) == RLX_INVALID_ARGUMENT);
  options.max_context = 100;
  options.guard_pages = true;
  CHECK(rlx_session_create(program, &options, &session) == RLX_OK);
  CHECK(rlx_session_max_context(session) == 100);
  CHECK(rlx_session_create(program, &options, &draft) == RLX_OK);
  test_program(program);
  rlx_program_close(program); /* the session keeps what it needs */
  test_appending(session);
  test_speculation(session, draft);
  test_generation(session);
  test_reading(session);
  test_null();
  rlx_session_destroy(session);
  rlx_session_destroy(draft);
  return failures;
}
