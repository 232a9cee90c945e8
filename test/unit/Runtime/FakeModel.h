/*===-- FakeModel.h - a hand-written code object ------------------*- C -*-===*\
|* Part of RLX, under the Apache License v2.0 with LLVM Exceptions.           *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
\*===----------------------------------------------------------------------===*/
/*
 * A toy model that implements the ABI by hand, so that the runtime is tested
 * without the compiler. All arithmetic is modulo FAKE_MODULUS, so every result
 * is exact whatever the order of evaluation and the type of the cache:
 *
 *   x0[p]    = (7 id[p] + 3) mod M
 *   K[p,h,d] = (x + 7 p + 3 d + h) mod M        V[p,h,d] = (x (d + 1) + h) mod M
 *   s[p]     = sum over visible j, h, d of K[j,h,d] (1 + j mod 13) + V[j,h,d]
 *   x'[p]    = (5 x[p] + s[p] + slot) mod M     for each slot in turn
 *   logit[v] = ((31 x + 17 v + p) mod 97) / 8 + weights[0]
 *   hidden[i] = x + i
 *
 * It compiles freestanding, as C, both into the tests and into a shared object
 * that is loaded like a compiled model.
 */
#ifndef RLX_TEST_FAKEMODEL_H
#define RLX_TEST_FAKEMODEL_H

#include "rlx/runtime/abi.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
  FAKE_MODULUS = 61,
  FAKE_VOCAB = 40,
  FAKE_HIDDEN = 6,
  FAKE_CONTEXT = 200,
  FAKE_CHUNK = 24,
  FAKE_OUT = 5,
  FAKE_SLOTS = 3,
  FAKE_STAGES = 8,       /* embedding, append and attend for each slot, head */
  FAKE_WINDOW = 9,       /* of slot 1 */
  FAKE_SHORT_WINDOW = 3, /* of slot 2 */
  FAKE_WEIGHTS = 64      /* bytes */
};

/* Variants, narrowest first: "decode" (SEQ 1), "prefill_4" (SEQ 1 to 4),
 * "short" (SEQ 1 to 16 while PAST_SEQ is at most 15), "wide" (SEQ 8 to 16) and
 * "generic" (SEQ 1 to FAKE_CHUNK). */
const rlx_model_t *rlx_query(uint32_t abi_version);

/* The same model with variants that do wrong, one each: "nan" (NaN logits),
 * and "workspace", "logits", "hidden", "k", "v" (which write one byte behind
 * the buffer of that name). Only the one forced runs. */
const rlx_model_t *fake_faulty_table(void);

/* Steps that have run in this process, counted by their thread 0. */
uint64_t fake_step_count(void);

#ifdef __cplusplus
}
#endif
#endif /* RLX_TEST_FAKEMODEL_H */
