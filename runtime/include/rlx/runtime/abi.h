/*===-- rlx/runtime/abi.h - contract of generated code and runtime -*- C -*-===*\
|* Part of RLX, under the Apache License v2.0 with LLVM Exceptions.           *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
\*===----------------------------------------------------------------------===*/
/*
 * The binary interface between code that the RLX compiler generates and the
 * runtime that loads it. Freestanding: it includes <stddef.h>, <stdint.h> and,
 * in C, <assert.h> and nothing else, compiles as C11 and as C++17, and every
 * struct has the same layout on every 64-bit little-endian target.
 *
 * A code object exports exactly one symbol, RLX_QUERY_SYMBOL. The generated
 * code sees only what rlx_step_args_t gives it: it calls no library function,
 * reads no environment and allocates no memory.
 *
 * Version rule (the only one): rlx_query returns NULL unless `abi_version`
 * equals the RLX_ABI_VERSION that the object was compiled with.
 */
#ifndef RLX_RUNTIME_ABI_H
#define RLX_RUNTIME_ABI_H

#include <stddef.h>
#include <stdint.h>
#ifndef __cplusplus
#include <assert.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define RLX_ABI_VERSION 4u
#define RLX_QUERY_SYMBOL "rlx_query"

/* Keys of one block of the KV cache's K planes. */
#define RLX_KV_BLOCK 16u

/* Every capacity of the KV cache is a multiple of it. */
#define RLX_KV_CHUNK 128u

/* Steps of up to that many tokens (seq * batch) give a token the same bits, whatever their number.
 * So do larger steps among themselves; their products may round differently. */
#define RLX_EXACT_TOKENS 16u

/* Alignment in bytes of the workspace, of each weight and of each KV plane. */
#define RLX_ALIGNMENT 64u

/* Element types of KV planes. */
typedef enum rlx_kv_type {
  RLX_KV_F32 = 0,
  RLX_KV_F16 = 1,
  RLX_KV_BF16 = 2,
  RLX_KV_Q8_0 = 3 /* signed 8-bit codes times a scale; head_dim % 32 == 0 */
} rlx_kv_type_t;

/* Features that share a scale where elements are codes. */
#define RLX_KV_SCALED 32u

/* Bytes of one position in one KV head's K or V plane. */
static inline uint64_t rlx_kv_position_bytes(uint32_t kv_type,
                                             uint64_t head_dim) {
  switch (kv_type) {
  case RLX_KV_F32:
    return head_dim * 4;
  case RLX_KV_Q8_0:
    return head_dim + head_dim / RLX_KV_SCALED * 2;
  default:
    return head_dim * 2;
  }
}

/* What a variant computes. Both roles have one signature and one meaning:
 * append `seq` tokens after `past` cached ones; decode variants accept only
 * seq == 1. */
typedef enum rlx_role { RLX_ROLE_PREFILL = 0, RLX_ROLE_DECODE = 1 } rlx_role_t;

/*
 * One KV cache slot of the model, static. A layer appends to one slot and may
 * read any slot that an earlier layer of the same step has written.
 *
 * Planes. For each sequence and KV head there is a K plane and a V plane, each
 * holding `capacity` positions (rlx_kv_slot_t). The row of position p is
 * r = p % capacity.
 *   K plane, blocked so that 16 keys are one vector for each feature d:
 *     element (r, d) at ((r / 16) * head_dim + d) * 16 + r % 16
 *   V plane, row-major: element (r, d) at r * head_dim + d
 * Keys are stored after RoPE.
 * RLX_KV_Q8_0: elements are codes, and each block of 16 keys and each row of
 * values is followed by the f16 scales of 32 features each, so that it takes
 * rlx_kv_position_bytes per position:
 *   K: scale of (r, d) at number (d / 32) * 16 + r % 16
 *   V: at number d / 32
 */
typedef struct rlx_kv_slot_info {
  uint32_t kv_heads;
  uint32_t head_dim;
  uint32_t kv_type; /* rlx_kv_type_t */
  /* 0: full attention, capacity >= context. w: a ring, queries see w keys,
   * themselves included, capacity >= w - 1 + max_seq of any variant used,
   * rounded up to RLX_KV_CHUNK. */
  uint32_t window;
} rlx_kv_slot_info_t;

/* Memory of one slot for one sequence, provided by the runtime. The plane of
 * KV head h starts at k + h * k_stride bytes (v likewise). */
typedef struct rlx_kv_slot {
  void *k;
  void *v;
  uint64_t k_stride; /* bytes from one KV head's plane to the next */
  uint64_t v_stride;
  uint64_t capacity; /* positions; a multiple of RLX_KV_CHUNK */
} rlx_kv_slot_t;

/* One sequence of a step. */
typedef struct rlx_sequence {
  const int32_t *ids; /* [seq] token ids, each in [0, vocab_size) */
  uint64_t past;      /* PAST_SEQ: positions already in the cache */
  const rlx_kv_slot_t *slots; /* [kv_slot_count] */
} rlx_sequence_t;

/* Told which entry of the variant's stage table `thread` begins. */
typedef void (*rlx_stage_fn)(void *stage_context, uint32_t stage,
                             uint32_t thread);

/*
 * Arguments of one step. All pointers stay valid during the call.
 *
 * Outputs are for the OUT = out_count last-selected positions: rows
 * [out_begin, out_begin + out_count) of the step's seq positions, for each
 * sequence. out_count may be 0 (cache update only) and is at most
 * variant.out_max.
 *
 * With `top` = k > 0 only logits that may be among the k greatest of their row
 * are needed: others may be -INFINITY. At least k are not.
 */
typedef struct rlx_step_args {
  uint32_t struct_size; /* sizeof(rlx_step_args_t) */
  uint32_t batch;       /* BATCH, number of sequences, >= 1 */
  uint64_t seq;         /* SEQ, same for all sequences, >= 1 */
  uint64_t out_begin;
  uint64_t out_count;
  const rlx_sequence_t *sequences; /* [batch] */
  const uint8_t *weights;   /* base of the packed weights, page aligned */
  uint8_t *workspace;       /* variant.workspace_bytes, RLX_ALIGNMENT */
  float *logits;            /* [batch, out_count, vocab_size] */
  float *hidden;            /* [batch, out_count, hidden_size], after the final
                               norm, what the head multiplies */
  /* Waits until all `threads` threads of the step have called it. Called by
   * every thread the same number of times in the same order. */
  void (*barrier)(void *barrier_context);
  void *barrier_context;
  /* NULL, or called by each thread as it begins each stage of the variant, in
   * order, behind the barrier that the stage waits for. */
  rlx_stage_fn stage;
  void *stage_context;
  uint64_t top; /* 0: all logits are needed */
} rlx_step_args_t;

/*
 * A compiled step. The runtime calls it once on each of `threads` threads with
 * thread = 0 … threads - 1, concurrently; all return after the last barrier.
 * The result does not depend on `threads`. It cannot fail: the runtime has
 * checked ids, ranges and capacities before.
 */
typedef void (*rlx_step_fn)(const rlx_step_args_t *args, uint32_t thread,
                            uint32_t threads);

/* The rows that a stage computes. */
typedef enum rlx_rows {
  RLX_ROWS_STEP = 0, /* batch * seq */
  RLX_ROWS_OUT = 1,  /* batch * out_count */
  RLX_ROWS_TOP = 2   /* the same, but none where `top` is 0 */
} rlx_rows_t;

#define RLX_NO_INDEX 0xFFFFFFFFu

/*
 * One kernel call of a step, for those who watch it run: what it is and what
 * it has to do at least. Operations are multiplications and additions of
 * matrix products and attention; memory is what must come from outside of the
 * caches in each step: weights, and keys and values.
 */
typedef struct rlx_stage {
  const char *name;  /* e.g. "linear q_k_v layer 3 q4_0 1152x1536" */
  const char *kind;  /* stages to be summed up, e.g. "linear q4_0", "norm" */
  uint32_t layer;    /* or RLX_NO_INDEX */
  uint32_t rows;     /* rlx_rows_t */
  uint32_t kv_slot;  /* whose keys and values it reads, or RLX_NO_INDEX */
  uint32_t probe;    /* index of what multiplies, or RLX_NO_INDEX */
  uint64_t weight_bytes;   /* read once, however many rows */
  uint64_t row_bytes;      /* of weights, read for each row */
  uint64_t row_operations; /* for each row */
  uint64_t key_operations; /* for each row and key that it sees */
} rlx_stage_t;

/* One entry of the dispatch table. Ranges are inclusive. */
typedef struct rlx_variant {
  const char *name; /* unique, e.g. "decode", "prefill_seq_le_64", "generic" */
  uint32_t role;    /* rlx_role_t */
  uint32_t batch_max;
  uint64_t seq_min, seq_max;
  uint64_t past_min, past_max;
  uint64_t out_max;
  uint64_t workspace_bytes;
  rlx_step_fn step;
  const rlx_stage_t *stages; /* [stage_count], in the order of the calls */
  uint64_t stage_count;
} rlx_variant_t;

/* One packed weight. `packing` names the layout, documented in
 * rlx/Packing/Layouts.h; the runtime only reports it. */
typedef struct rlx_weight {
  const char *name;
  const char *dtype;   /* "f32", "f16", "bf16" or a GGUF block type, "q8_0" … "iq4_xs" */
  const char *packing; /* "row", "r16" */
  uint64_t offset;     /* bytes from the weights' base */
  uint64_t size;       /* bytes */
} rlx_weight_t;

/* Bytes of memory that a probe works on, aligned to RLX_ALIGNMENT. */
#define RLX_PROBE_BYTES 4096u

/* A loop of products as the model's kernels compute them and nothing else, to
 * measure what the processor can do at most. */
typedef struct rlx_probe {
  const char *name;    /* e.g. "int8 dot" */
  uint64_t operations; /* multiplications and additions of one round */
  void (*run)(void *memory, uint64_t rounds);
} rlx_probe_t;

/* The model table: all static data of a code object. */
typedef struct rlx_model {
  uint32_t abi_version;
  uint32_t struct_size; /* sizeof(rlx_model_t) */
  const char *target;   /* e.g. "x86-64-v4+vnni" */
  uint64_t vocab_size;
  uint64_t hidden_size;
  uint64_t max_context; /* positions the code supports */
  uint64_t weights_bytes;
  uint8_t weights_hash[32]; /* SHA-256 of the packed weights it expects */
  uint32_t kv_slot_count;
  uint32_t variant_count;
  uint32_t weight_count;
  uint32_t probe_count;
  const rlx_kv_slot_info_t *kv_slots;
  const rlx_variant_t *variants; /* narrowest first for equal roles */
  const rlx_weight_t *weights;
  const rlx_probe_t *probes;
} rlx_model_t;

/* The type of the exported symbol. */
typedef const rlx_model_t *(*rlx_query_fn)(uint32_t abi_version);

#define RLX_ABI_ASSERT(c) static_assert(c, #c)
RLX_ABI_ASSERT(sizeof(rlx_kv_slot_info_t) == 16);
RLX_ABI_ASSERT(sizeof(rlx_kv_slot_t) == 40);
RLX_ABI_ASSERT(sizeof(rlx_sequence_t) == 24);
RLX_ABI_ASSERT(sizeof(rlx_step_args_t) == 112);
RLX_ABI_ASSERT(offsetof(rlx_step_args_t, sequences) == 32);
RLX_ABI_ASSERT(offsetof(rlx_step_args_t, barrier) == 72);
RLX_ABI_ASSERT(offsetof(rlx_step_args_t, stage) == 88);
RLX_ABI_ASSERT(sizeof(rlx_stage_t) == 64);
RLX_ABI_ASSERT(sizeof(rlx_variant_t) == 88);
RLX_ABI_ASSERT(sizeof(rlx_weight_t) == 40);
RLX_ABI_ASSERT(sizeof(rlx_probe_t) == 24);
RLX_ABI_ASSERT(sizeof(rlx_model_t) == 128);

#ifdef __cplusplus
}
#endif
#endif /* RLX_RUNTIME_ABI_H */
