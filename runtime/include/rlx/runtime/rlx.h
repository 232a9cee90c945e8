/*===-- rlx/runtime/rlx.h - C API of the RLX runtime --------------*- C -*-===*\
|* Part of RLX, under the Apache License v2.0 with LLVM Exceptions.           *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
\*===----------------------------------------------------------------------===*/
/*
 * Runs a compiled model from C, or from any language that can call C.
 *
 *   rlx_program_t *program;
 *   rlx_session_t *session;
 *   if (rlx_program_open("./gemma3", NULL, &program) != RLX_OK)
 *     fprintf(stderr, "%s\n", rlx_last_error());
 *   rlx_session_create(program, NULL, &session);
 *   rlx_session_prefill(session, ids, count);
 *   while (rlx_session_step(session, &token) == RLX_OK) ...
 *   rlx_session_destroy(session);
 *   rlx_program_close(program);
 *
 * Every function that can fail returns an rlx_status_t; rlx_last_error() then
 * holds the message. A failed call changes no output parameter, and leaves the
 * session usable and as it was. Handles are never NULL on success; destroying
 * NULL does nothing. Passing NULL for a handle or a required pointer is an
 * RLX_INVALID_ARGUMENT error.
 *
 * Token ids are int32_t in [0, vocab_size). Logits are float[vocab_size].
 * What each call does to tokens, past_len and logits is said at the call; the
 * C++ header rlx/runtime/session.h has the same rules in one table.
 *
 * A program may be used from several threads; a session from one at a time.
 * Steps need up to 512 KiB of the calling thread's stack.
 */
#ifndef RLX_RUNTIME_RLX_H
#define RLX_RUNTIME_RLX_H

#include "rlx/runtime/abi.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum rlx_status {
  RLX_OK = 0,
  RLX_INVALID_ARGUMENT = 1, /* a value passed is not acceptable */
  RLX_INVALID_STATE = 2,    /* not possible now, e.g. step without prefill */
  RLX_CONTEXT_FULL = 3,     /* the tokens do not fit into the context */
  RLX_BAD_FILE = 4,         /* unreadable, corrupt, or of another version */
  RLX_UNSUPPORTED = 5,      /* does not run on this CPU or system */
  RLX_OUT_OF_MEMORY = 6,    /* above the limit, or the system refused */
  RLX_BAD_LOGITS = 7        /* the model computed NaN or infinite logits */
} rlx_status_t;

/* The message of the last call on this thread that failed; "" before the first.
 * Valid until the next failing call on this thread. */
const char *rlx_last_error(void);

/* ------------------------------------------------------------- programs --- */

/* An opened model: code, weights and manifest, mapped read-only. Sessions keep
 * what they need alive, so a program may be closed before its sessions. */
typedef struct rlx_program rlx_program_t;

typedef struct rlx_program_options {
  size_t struct_size;  /* sizeof(rlx_program_options_t) */
  uint32_t threads;    /* default of its sessions; 0: one per physical core */
  const char *target;  /* code object to use; NULL: best for this CPU */
} rlx_program_options_t;

/* Sets the defaults. All *_init functions fill struct_size. */
void rlx_program_options_init(rlx_program_options_t *options);

/* Opens a model binary; options may be NULL for the defaults. */
rlx_status_t rlx_program_open(const char *path, const rlx_program_options_t *options,
                              rlx_program_t **program);

/* Wraps code that is linked into this program and weights in memory (aligned
 * to RLX_ALIGNMENT), which must outlive the program and its sessions.
 * `manifest` is JSON text or NULL. */
rlx_status_t rlx_program_open_query(rlx_query_fn query, const void *weights,
                                    size_t weights_bytes, const char *manifest,
                                    const rlx_program_options_t *options,
                                    rlx_program_t **program);
void rlx_program_close(rlx_program_t *program);

/* The static tables: vocabulary and hidden size, variants, KV slots. */
const rlx_model_t *rlx_program_table(const rlx_program_t *program);
/* The manifest, JSON text; valid as long as the program. */
const char *rlx_program_config(const rlx_program_t *program);
/* The ids that end generation; returns their number, sets *ids to them. */
size_t rlx_program_eos_ids(const rlx_program_t *program, const int32_t **ids);

/* ------------------------------------------------------------- sessions --- */

typedef struct rlx_session rlx_session_t;

typedef enum rlx_overflow {
  RLX_OVERFLOW_ERROR = 0, /* generate fails with RLX_CONTEXT_FULL */
  RLX_OVERFLOW_STOP = 1   /* generate returns with RLX_STOP_CONTEXT_FULL */
} rlx_overflow_t;

typedef struct rlx_session_options {
  size_t struct_size;
  uint64_t max_context; /* 0: min(what the code supports, 8192) */
  uint32_t overflow;    /* rlx_overflow_t */
  uint32_t threads;     /* 0: the program's default */
  uint64_t max_memory;  /* bytes; 0: no limit */
  const char *variant;  /* the only variant to use; NULL or "": narrowest */
  uint64_t chunk;       /* tokens of a prefill step at most; 0: all it can */
  bool guard_pages;     /* debugging: fault on any access behind a buffer */
} rlx_session_options_t;

typedef struct rlx_sampling {
  size_t struct_size;
  float temperature;          /* 0: greedy */
  float top_p;                /* 1: off */
  float min_p;                /* 0: off */
  float repetition_penalty;   /* 1: off */
  uint32_t top_k;             /* 0: off */
  uint64_t repetition_window; /* latest tokens that count; 0: all */
  uint64_t seed;
} rlx_sampling_t;

typedef struct rlx_memory {
  uint64_t weights; /* bytes */
  uint64_t kv_cache;
  uint64_t workspace;
} rlx_memory_t;

void rlx_session_options_init(rlx_session_options_t *options);
void rlx_sampling_init(rlx_sampling_t *sampling);

rlx_status_t rlx_session_create(const rlx_program_t *program,
                                const rlx_session_options_t *options,
                                rlx_session_t **session);
void rlx_session_destroy(rlx_session_t *session);

/* Appends count >= 1 ids. Leaves the logits after the last one.
 * RLX_INVALID_ARGUMENT without ids or for one outside the vocabulary,
 * RLX_CONTEXT_FULL where they do not fit. */
rlx_status_t rlx_session_prefill(rlx_session_t *session, const int32_t *ids, size_t count);

/* Called with each position's logits, index counted from the call's first id;
 * false ends the delivery, not the call. */
typedef bool (*rlx_logits_fn)(void *context, uint64_t index, const float *row,
                              size_t vocab_size);

/* Appends like rlx_session_prefill and delivers every position's logits, with
 * the same errors. */
rlx_status_t rlx_session_prefill_all(rlx_session_t *session, const int32_t *ids,
                                     size_t count, rlx_logits_fn fn, void *context);

/* Samples from the logits, appends the token by a decode step, leaves the
 * logits after it. RLX_INVALID_STATE without logits, RLX_CONTEXT_FULL where
 * there is no room, RLX_BAD_LOGITS for what cannot be sampled from. */
rlx_status_t rlx_session_step(rlx_session_t *session, int32_t *token);

/* Appends `token` by a decode step, leaves the logits after it.
 * RLX_INVALID_STATE on an empty session, RLX_CONTEXT_FULL where there is no
 * room, RLX_INVALID_ARGUMENT for an id outside the vocabulary. */
rlx_status_t rlx_session_step_forced(rlx_session_t *session, int32_t token);

/* What rlx_session_step would append; changes nothing. RLX_INVALID_STATE without
 * logits. */
rlx_status_t rlx_session_sample(rlx_session_t *session, int32_t *token);

typedef enum rlx_stop_reason {
  RLX_STOP_MAX_TOKENS = 0,
  RLX_STOP_ID = 1,          /* an EOS or stop id, which is not appended */
  RLX_STOP_CALLBACK = 2,    /* its token is appended */
  RLX_STOP_CONTEXT_FULL = 3 /* under RLX_OVERFLOW_STOP */
} rlx_stop_reason_t;

/* Called with each token; false stops. */
typedef bool (*rlx_token_fn)(void *context, int32_t token);

/* Where drafts of the next tokens come from, several of which one step checks.
 * They change the time that generation takes and nothing else. */
typedef enum rlx_speculation {
  RLX_SPECULATION_AUTO = 0,  /* `draft`, else n-grams; where it is measured to pay */
  RLX_SPECULATION_OFF = 1,   /* one step for each token */
  RLX_SPECULATION_NGRAM = 2, /* what followed the last tokens before */
  RLX_SPECULATION_DRAFT = 3  /* `draft` */
} rlx_speculation_t;

/* Whether only logits that can be sampled are computed, in programs with a coarse
 * copy of the head. Tokens are the same. */
typedef enum rlx_screening {
  RLX_SCREENING_AUTO = 0, /* while it saves reading the head */
  RLX_SCREENING_OFF = 1,
  RLX_SCREENING_ON = 2 /* RLX_INVALID_ARGUMENT without the copy */
} rlx_screening_t;

/* What speculation did in a call of rlx_session_generate. */
typedef struct rlx_speculation_stats {
  uint64_t steps;    /* steps of the model, each for one token and its drafts */
  uint64_t drafted;  /* drafts that these steps checked */
  uint64_t accepted; /* drafts that became tokens */
} rlx_speculation_stats_t;

typedef struct rlx_generate_options {
  size_t struct_size;
  uint64_t max_tokens;
  const int32_t *stop_ids; /* besides the program's EOS ids */
  size_t stop_id_count;
  bool ignore_eos;
  rlx_token_fn callback; /* may be NULL */
  void *context;
  uint32_t speculation; /* rlx_speculation_t */
  uint32_t draft_max;   /* drafts of a step at most, up to 15 */
  rlx_session_t *draft; /* of another model with the same vocabulary, whose tokens
                           and sampling change; or NULL */
  rlx_speculation_stats_t *stats; /* set on success; may be NULL */
  /* For measurements: tokens to take instead of the sampled ones, which nothing
   * stops at, and with which generation ends. */
  const int32_t *replay;
  size_t replay_count;
  uint32_t screening; /* rlx_screening_t */
  /* The token that ends the call, being the last of max_tokens or because the
   * callback asks to stop, is not appended: saves its step where nothing follows. */
  bool leave_last;
} rlx_generate_options_t;

void rlx_generate_options_init(rlx_generate_options_t *options);

/* Appends up to max_tokens sampled tokens; exactly so many unless a stop
 * condition fires. After a failure the tokens appended so far stay. `reason`
 * may be NULL. The new tokens are the tail of rlx_session_tokens, and the logits
 * those after the last one. RLX_INVALID_STATE without logits, RLX_CONTEXT_FULL
 * without room under RLX_OVERFLOW_ERROR. */
rlx_status_t rlx_session_generate(rlx_session_t *session,
                                  const rlx_generate_options_t *options,
                                  rlx_stop_reason_t *reason);

/* Generates from `prompt` by full recompute in a scratch cache; changes
 * nothing in the session. Tokens arrive through options->callback only. */
rlx_status_t rlx_session_generate_naive(rlx_session_t *session, const int32_t *prompt,
                                        size_t count,
                                        const rlx_generate_options_t *options,
                                        rlx_stop_reason_t *reason);

/* Logits of all positions of `ids` as a sequence of its own; changes nothing in
 * the session and does not touch its cache. Errors as of rlx_session_prefill,
 * with the whole context as room. */
rlx_status_t rlx_session_forward(rlx_session_t *session, const int32_t *ids, size_t count,
                                 rlx_logits_fn fn, void *context);

/* The logits for position past_len, or the hidden state they come from; valid
 * until the next call that changes the session. RLX_INVALID_STATE if absent:
 * before the first prefill, after clear, after a rewind. */
rlx_status_t rlx_session_logits(const rlx_session_t *session, const float **logits);
rlx_status_t rlx_session_hidden(const rlx_session_t *session, const float **hidden);

/* Keeps the first `position` tokens; drops the logits unless nothing changes.
 * Prefills the kept tokens anew where a sliding window needs it.
 * RLX_INVALID_ARGUMENT above past_len. */
rlx_status_t rlx_session_rewind(rlx_session_t *session, uint64_t position);
/* Removes all tokens and the logits. RLX_INVALID_STATE from a callback of the
 * session. */
rlx_status_t rlx_session_clear(rlx_session_t *session);

/* Number of tokens in the cache; 0 for NULL. */
uint64_t rlx_session_past_len(const rlx_session_t *session);
/* Sets *ids to the past_len tokens in the cache, valid until the next call that
 * changes the session; returns their number. */
size_t rlx_session_tokens(const rlx_session_t *session, const int32_t **ids);
uint64_t rlx_session_max_context(const rlx_session_t *session);

/* Copies the cache rows of a position, as f32 [kv_heads][head_dim], into k and
 * v (either may be NULL), each of `capacity` floats. Sets *floats (may be NULL)
 * to the number needed, also when capacity is too small, which is an error, as
 * is a position that is not in the cache or no more in a window's ring:
 * RLX_INVALID_ARGUMENT. */
rlx_status_t rlx_session_kv(const rlx_session_t *session, uint32_t layer,
                            uint64_t position, float *k, float *v, size_t capacity,
                            size_t *floats);

/* Holds from the next sampled token on. RLX_INVALID_ARGUMENT for a value out of
 * range, which changes nothing. */
rlx_status_t rlx_session_set_sampling(rlx_session_t *session,
                                      const rlx_sampling_t *sampling);
/* Forces a variant by name; NULL or "" picks the narrowest again. */
rlx_status_t rlx_session_set_variant(rlx_session_t *session, const char *name);
/* The variant that ran last, "" before the first step; valid as long as the
 * session. */
const char *rlx_session_last_variant(const rlx_session_t *session);
rlx_status_t rlx_session_memory(const rlx_session_t *session, rlx_memory_t *memory);

#ifdef __cplusplus
}
#endif
#endif /* RLX_RUNTIME_RLX_H */
