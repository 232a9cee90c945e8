/*===-- FakeModel.c - a hand-written code object ------------------*- C -*-===*\
|* Part of RLX, under the Apache License v2.0 with LLVM Exceptions.           *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
\*===----------------------------------------------------------------------===*/
/* Implements the toy model; freestanding, like generated code. */
#include "FakeModel.h"

static uint64_t step_count;

static const rlx_kv_slot_info_t slot_infos[FAKE_SLOTS] = {
    {1, 4, RLX_KV_F32, 0},
    {2, 3, RLX_KV_F16, FAKE_WINDOW},
    {1, 8, RLX_KV_BF16, FAKE_SHORT_WINDOW},
};

/* f16 and bf16 are written and read as the bits of a float, cut to 16. */
static uint32_t float_bits(float value) {
  union {
    float f;
    uint32_t u;
  } bits = {value};
  return bits.u;
}

static float bits_float(uint32_t bits) {
  union {
    uint32_t u;
    float f;
  } value = {bits};
  return value.f;
}

static void store(void *plane, uint64_t index, uint32_t type, uint32_t value) {
  uint32_t bits = float_bits((float)value);
  if (type == RLX_KV_F32)
    ((float *)plane)[index] = (float)value;
  else if (type == RLX_KV_BF16)
    ((uint16_t *)plane)[index] = (uint16_t)(bits >> 16);
  else /* the exponent's bias is 112 less in f16 */
    ((uint16_t *)plane)[index] = value ? (uint16_t)((bits >> 13) - (112u << 10)) : 0;
}

static uint32_t load(const void *plane, uint64_t index, uint32_t type) {
  if (type == RLX_KV_F32)
    return (uint32_t)((const float *)plane)[index];
  uint32_t bits = ((const uint16_t *)plane)[index];
  if (type == RLX_KV_BF16)
    return (uint32_t)bits_float(bits << 16);
  return bits ? (uint32_t)bits_float((bits + (112u << 10)) << 13) : 0;
}

static uint64_t k_index(uint64_t row, uint32_t d, uint32_t head_dim) {
  return ((row / RLX_KV_BLOCK) * head_dim + d) * RLX_KV_BLOCK + row % RLX_KV_BLOCK;
}

static void append(const rlx_step_args_t *args, uint32_t s, uint64_t i, uint32_t x) {
  const rlx_kv_slot_info_t *info = &slot_infos[s];
  const rlx_kv_slot_t *slot = &args->sequences[0].slots[s];
  uint64_t p = args->sequences[0].past + i;
  uint64_t row = p % slot->capacity;
  for (uint32_t h = 0; h < info->kv_heads; ++h) {
    char *k = (char *)slot->k + h * slot->k_stride;
    char *v = (char *)slot->v + h * slot->v_stride;
    for (uint32_t d = 0; d < info->head_dim; ++d) {
      store(k, k_index(row, d, info->head_dim), info->kv_type,
            (uint32_t)((x + 7 * p + 3 * d + h) % FAKE_MODULUS));
      store(v, row * info->head_dim + d, info->kv_type, (x * (d + 1) + h) % FAKE_MODULUS);
    }
  }
}

static uint32_t attend(const rlx_step_args_t *args, uint32_t s, uint64_t i) {
  const rlx_kv_slot_info_t *info = &slot_infos[s];
  const rlx_kv_slot_t *slot = &args->sequences[0].slots[s];
  uint64_t p = args->sequences[0].past + i;
  uint64_t first = info->window && p >= info->window ? p - info->window + 1 : 0;
  uint64_t sum = 0;
  for (uint64_t j = first; j <= p; ++j) {
    uint64_t row = j % slot->capacity;
    for (uint32_t h = 0; h < info->kv_heads; ++h) {
      const char *k = (const char *)slot->k + h * slot->k_stride;
      const char *v = (const char *)slot->v + h * slot->v_stride;
      for (uint32_t d = 0; d < info->head_dim; ++d)
        sum += load(k, k_index(row, d, info->head_dim), info->kv_type) * (1 + j % 13) +
               load(v, row * info->head_dim + d, info->kv_type);
    }
  }
  return (uint32_t)(sum % FAKE_MODULUS);
}

static void write_outputs(const rlx_step_args_t *args, const uint32_t *x, uint32_t thread,
                          uint32_t threads) {
  for (uint64_t r = 0; r < args->out_count; ++r) {
    uint64_t i = args->out_begin + r;
    uint64_t p = args->sequences[0].past + i;
    for (uint64_t v = thread; v < FAKE_VOCAB; v += threads)
      args->logits[r * FAKE_VOCAB + v] =
          (float)((31 * x[i] + 17 * v + p) % 97) / 8.0f + (float)args->weights[0];
    for (uint64_t d = thread; d < FAKE_HIDDEN; d += threads)
      args->hidden[r * FAKE_HIDDEN + d] = (float)(x[i] + d);
  }
}

static void begin_stage(const rlx_step_args_t *args, uint32_t stage, uint32_t thread) {
  if (args->stage)
    args->stage(args->stage_context, stage, thread);
}

/* The workspace holds x of every token, for SEQ up to FAKE_CHUNK. */
static void step(const rlx_step_args_t *args, uint32_t thread, uint32_t threads) {
  uint32_t *x = (uint32_t *)args->workspace;
  if (thread == 0)
    __atomic_fetch_add(&step_count, 1, __ATOMIC_RELAXED);
  begin_stage(args, 0, thread);
  for (uint64_t i = thread; i < args->seq; i += threads)
    x[i] = (7 * (uint32_t)args->sequences[0].ids[i] + 3) % FAKE_MODULUS;
  for (uint32_t s = 0; s < FAKE_SLOTS; ++s) {
    begin_stage(args, 1 + 2 * s, thread);
    for (uint64_t i = thread; i < args->seq; i += threads)
      append(args, s, i, x[i]);
    args->barrier(args->barrier_context);
    begin_stage(args, 2 + 2 * s, thread);
    for (uint64_t i = thread; i < args->seq; i += threads)
      x[i] = (5 * x[i] + attend(args, s, i) + s) % FAKE_MODULUS;
    args->barrier(args->barrier_context);
  }
  begin_stage(args, FAKE_STAGES - 1, thread);
  write_outputs(args, x, thread, threads);
}

#define STAGE(name, kind, layer, rows, slot, bytes, row_bytes, operations, key_operations)         \
  {name, kind, layer, rows, slot, 0, bytes, row_bytes, operations, key_operations}
#define APPEND(s) STAGE("append layer " #s, "append", s, RLX_ROWS_STEP, RLX_NO_INDEX, 0, 0, 0, 0)
#define ATTENTION(s)                                                                               \
  STAGE("attention layer " #s, "attention", s, RLX_ROWS_STEP, s, 0, 0, 0, 2 * FAKE_HIDDEN)

static const rlx_stage_t stages[FAKE_STAGES] = {
    STAGE("embedding", "embedding", RLX_NO_INDEX, RLX_ROWS_STEP, RLX_NO_INDEX, 0, 4, 0, 0),
    APPEND(0),
    ATTENTION(0),
    APPEND(1),
    ATTENTION(1),
    APPEND(2),
    ATTENTION(2),
    STAGE("head f32", "head f32", RLX_NO_INDEX, RLX_ROWS_OUT, RLX_NO_INDEX, FAKE_WEIGHTS, 0,
          2 * FAKE_VOCAB, 0),
};

#define ALL_PAST 0, FAKE_CONTEXT - 1
#define STEP step, stages, FAKE_STAGES
#define X_BYTES(seq) ((seq) * sizeof(uint32_t))

static const rlx_variant_t variants[] = {
    {"decode", RLX_ROLE_DECODE, 1, 1, 1, ALL_PAST, 1, X_BYTES(1), STEP},
    {"prefill_4", RLX_ROLE_PREFILL, 1, 1, 4, ALL_PAST, 4, X_BYTES(4), STEP},
    {"wide", RLX_ROLE_PREFILL, 1, 8, 16, ALL_PAST, FAKE_OUT, X_BYTES(16), STEP},
    {"short", RLX_ROLE_PREFILL, 1, 1, 16, 0, 15, FAKE_OUT, X_BYTES(16), STEP},
    {"generic", RLX_ROLE_PREFILL, 1, 1, FAKE_CHUNK, ALL_PAST, FAKE_OUT, X_BYTES(FAKE_CHUNK), STEP},
};

static const rlx_weight_t weights[] = {{"offset", "f32", "row", 0, FAKE_WEIGHTS}};

static void probe(void *memory, uint64_t rounds) {
  uint32_t *sum = memory;
  for (uint64_t i = 0; i < rounds; ++i)
    *sum = 5 * *sum + 3;
}

static const rlx_probe_t probes[] = {{"modular", 2, probe}};

/* The first byte of the hash of the weights that the code belongs to; a hash of
 * zeros goes with any. */
#ifndef FAKE_HASH
#define FAKE_HASH 0
#endif

static const rlx_model_t model = {
    RLX_ABI_VERSION,
    sizeof(rlx_model_t),
    "fake",
    FAKE_VOCAB,
    FAKE_HIDDEN,
    FAKE_CONTEXT,
    FAKE_WEIGHTS,
    {FAKE_HASH},
    FAKE_SLOTS,
    sizeof(variants) / sizeof(variants[0]),
    1,
    sizeof(probes) / sizeof(probes[0]),
    slot_infos,
    variants,
    weights,
    probes,
};

const rlx_model_t *rlx_query(uint32_t abi_version) {
  return abi_version == RLX_ABI_VERSION ? &model : NULL;
}

uint64_t fake_step_count(void) { return __atomic_load_n(&step_count, __ATOMIC_RELAXED); }

static void nan_step(const rlx_step_args_t *args, uint32_t thread, uint32_t threads) {
  step(args, thread, threads);
  args->barrier(args->barrier_context);
  if (thread == 0 && args->out_count)
    args->logits[3] = bits_float(0x7fc00000);
}

static void overrun(const rlx_step_args_t *args, uint32_t thread, void *end) {
  if (thread == 0)
    *(volatile char *)end = 1;
  (void)args;
}

static void workspace_step(const rlx_step_args_t *args, uint32_t thread, uint32_t threads) {
  overrun(args, thread, args->workspace + X_BYTES(FAKE_CHUNK) + RLX_ALIGNMENT / 2);
  (void)threads;
}

static void logits_step(const rlx_step_args_t *args, uint32_t thread, uint32_t threads) {
  /* 40 floats are 2.5 times the alignment: the buffer is rounded up by half. */
  overrun(args, thread, (char *)(args->logits + FAKE_VOCAB) + RLX_ALIGNMENT / 2);
  (void)threads;
}

static void hidden_step(const rlx_step_args_t *args, uint32_t thread, uint32_t threads) {
  overrun(args, thread, (char *)args->hidden + RLX_ALIGNMENT);
  (void)threads;
}

static void k_step(const rlx_step_args_t *args, uint32_t thread, uint32_t threads) {
  const rlx_kv_slot_t *slot = &args->sequences[0].slots[1];
  overrun(args, thread, (char *)slot->k + slot->capacity * slot_infos[1].head_dim * 2);
  (void)threads;
}

static void v_step(const rlx_step_args_t *args, uint32_t thread, uint32_t threads) {
  const rlx_kv_slot_t *slot = &args->sequences[0].slots[0];
  overrun(args, thread, (char *)slot->v + slot->capacity * slot_infos[0].head_dim * 4);
  (void)threads;
}

#define FAULTY(name)                                                                               \
  {#name,    RLX_ROLE_PREFILL,    1,           1,      FAKE_CHUNK, ALL_PAST,                       \
   FAKE_OUT, X_BYTES(FAKE_CHUNK), name##_step, stages, FAKE_STAGES}

static const rlx_variant_t faulty_variants[] = {FAULTY(nan),    FAULTY(workspace), FAULTY(logits),
                                                FAULTY(hidden), FAULTY(k),         FAULTY(v)};

const rlx_model_t *fake_faulty_table(void) {
  static rlx_model_t faulty;
  faulty = model;
  faulty.variants = faulty_variants;
  faulty.variant_count = sizeof(faulty_variants) / sizeof(faulty_variants[0]);
  return &faulty;
}
