//===- RLXCacheOps.td - KV cache and attention -------------*- tablegen -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Ops that read or append to the KV cache.

#ifndef RLX_IR_RLXCACHEOPS_TD
#define RLX_IR_RLXCACHEOPS_TD

include "rlx/IR/RLXTensorOps.td"

/// An op which uses an `rlx.kv_slot` symbol.
class RLX_SlotUserOp<string mnemonic, list<Trait> traits = []>
    : RLX_PureOp<mnemonic, !listconcat([DeclareOpInterfaceMethods<SymbolUserOpInterface>], traits)>;

def RLX_KVAppendOp : RLX_SlotUserOp<"kv_append"> {
  let summary = "appends the step's keys and values to a slot";
  let description = [{
    `K[b, PAST_SEQ + i] = k[b, i]`, `V[b, PAST_SEQ + i] = v[b, i]`, K and V being
    the slot's rows of sequence b, rounded to the slot's type.

    ```mlir
    %c1 = rlx.kv_append %c0, @kv0, %k, %v
      : tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>,
        tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>
    ```

    Rules (and cache_c1):

    - kv_append_c1: the slot exists;
    - kv_append_c2: keys and values have rank 4 and the same sizes;
    - kv_append_c3: their heads and head_dim are the slot's.
  }];
  let arguments = (ins RLX_KVCacheType:$cache, FlatSymbolRefAttr:$slot,
                       RLX_Activation:$key, RLX_Activation:$value);
  let results = (outs RLX_KVCacheType:$result);
  let assemblyFormat = "$cache `,` $slot `,` $key `,` $value attr-dict `:` type($key) `,` type($value)";
  let hasVerifier = 1;
}

def RLX_KVReadOp : RLX_SlotUserOp<"kv_read"> {
  let summary = "the keys and values of a slot, past and present";
  let description = [{
    `k[b, j] = K[b, j]`, `v[b, j] = V[b, j]` for j < PAST_SEQ + SEQ, K and V being
    the slot's rows of sequence b. Rows that a ring no longer holds are undefined;
    no query of the step sees them.

    ```mlir
    %k, %v = rlx.kv_read %c1, @kv0
      : tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>>,
        tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>>
    ```

    Rules:

    - kv_read_c1: the slot exists;
    - kv_read_c2: keys and values have rank 4 and the same sizes;
    - kv_read_c3: their heads and head_dim are the slot's;
    - kv_read_c4: in a function with a role they have BATCH sequences of
      PAST_SEQ + SEQ rows (BATCH and SEQ as the ids have them; a constant, where
      PAST_SEQ is bound to one);
    - kv_read_c5: an rlx.attention of them sees no more keys than a ring serves.
  }];
  let arguments = (ins RLX_KVCacheType:$cache, FlatSymbolRefAttr:$slot);
  let results = (outs RLX_Activation:$key, RLX_Activation:$value);
  let assemblyFormat = "$cache `,` $slot attr-dict `:` type($key) `,` type($value)";
  let hasVerifier = 1;
}

def RLX_AttentionOp : RLX_PureOp<"attention"> {
  let summary = "grouped-query attention over explicit keys and values (arXiv:2305.13245)";
  let description = [{
    Query i stands at position p = PAST_SEQ + i, query head h reads KV head
    h / (heads / kv_heads). It sees keys j with j ≤ p and, where `window` w is
    given, j > p - w: exactly w keys, itself included.
    `score_j = softcap(scale * q·k_j)`, then the mask, then
    `out = Σ_j softmax(score)_j v_j`.

    ```mlir
    %o = rlx.attention %q, %k, %v mask causal scale 0.125 cap 50.0 window 64
      : tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>,
        tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>>,
        tensor<?x?x1x64xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 1, 64>>
      -> tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>
    ```

    Rules:

    - attention_c1: queries, keys and values have rank 4; keys and values have
      the same sizes;
    - attention_c2: batch and head_dim of the keys are the queries';
    - attention_c3: the keys' number of heads divides the queries';
    - attention_c4: there are PAST_SEQ + (number of queries) keys (a constant,
      where PAST_SEQ is bound to one);
    - attention_c5: the scale is positive;
    - attention_c6: the cap is positive;
    - attention_c7: the window is positive;
    - attention_c8: the result has the sizes of the queries.
  }];
  let arguments = (ins RLX_Activation:$query, RLX_Activation:$key, RLX_Activation:$value,
                       RLX_Mask:$mask, F32Attr:$scale, OptionalAttr<F32Attr>:$cap,
                       OptionalAttr<I64Attr>:$window);
  let results = (outs RLX_Activation:$result);
  let assemblyFormat = [{
    $query `,` $key `,` $value `mask` $mask `scale` $scale (`cap` $cap^)? (`window` $window^)?
    attr-dict `:` type($query) `,` type($key) `,` type($value) `->` type($result)
  }];
  let hasVerifier = 1;
}

def RLX_RopeAppendOp : RLX_SlotUserOp<"rope_append"> {
  let summary = "rotates the keys, then appends keys and values to a slot";
  let description = [{
    `K[b, PAST_SEQ + i] = rope(k[b, i], angles[b, i])`, `V[b, PAST_SEQ + i] = v[b, i]`:
    decomposes into rlx.rope of the keys and rlx.kv_append.

    ```mlir
    %c1 = rlx.rope_append %c0, @kv0, %k, %v, %cs
      : tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>,
        tensor<?x?x1x64xf32, #rlx.dims<BATCH, SEQ, 1, 64>>,
        tensor<?x?x2x32xf32, #rlx.dims<BATCH, SEQ, 2, 32>>
    ```

    Rules (and cache_c1):

    - rope_append_c1: the slot exists;
    - rope_append_c2: keys and values have rank 4 and the same sizes;
    - rope_append_c3: their heads and head_dim are the slot's;
    - rope_append_c4: the angles have the keys' first two sizes, then 2 and dim/2;
    - rope_append_c5: dim is at most head_dim.
  }];
  let arguments = (ins RLX_KVCacheType:$cache, FlatSymbolRefAttr:$slot, RLX_Activation:$key,
                       RLX_Activation:$value, RLX_Activation:$angles);
  let results = (outs RLX_KVCacheType:$result);
  let assemblyFormat = [{
    $cache `,` $slot `,` $key `,` $value `,` $angles attr-dict
    `:` type($key) `,` type($value) `,` type($angles)
  }];
  let hasVerifier = 1;
}

def RLX_CachedAttentionOp : RLX_SlotUserOp<"cached_attention"> {
  let summary = "attention that streams over a slot of the cache";
  let description = [{
    `out = attention(q, K, V)`, what rlx.attention computes from the results of
    rlx.kv_read, without them: one pass over the cache with a running softmax
    (arXiv:2112.05682).

    ```mlir
    %o = rlx.cached_attention %q, %c1, @kv0 mask causal scale 0.125 window 64
      : tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>
      -> tensor<?x?x4x64xf32, #rlx.dims<BATCH, SEQ, 4, 64>>
    ```

    Rules:

    - cached_attention_c1: the slot exists;
    - cached_attention_c2: the queries have rank 4 and the slot's head_dim;
    - cached_attention_c3: the slot's number of heads divides the queries';
    - cached_attention_c4: on a ring there is a window, no larger than the ring's;
    - cached_attention_c5: the scale is positive;
    - cached_attention_c6: the cap is positive;
    - cached_attention_c7: the window is positive;
    - cached_attention_c8: the result has the sizes of the queries.
  }];
  let arguments = (ins RLX_Activation:$query, RLX_KVCacheType:$cache, FlatSymbolRefAttr:$slot,
                       RLX_Mask:$mask, F32Attr:$scale, OptionalAttr<F32Attr>:$cap,
                       OptionalAttr<I64Attr>:$window);
  let results = (outs RLX_Activation:$result);
  let assemblyFormat = [{
    $query `,` $cache `,` $slot `mask` $mask `scale` $scale (`cap` $cap^)? (`window` $window^)?
    attr-dict `:` type($query) `->` type($result)
  }];
  let hasVerifier = 1;
}

#endif // RLX_IR_RLXCACHEOPS_TD
