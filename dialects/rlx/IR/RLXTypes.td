//===- RLXTypes.td - RLX types -----------------------------*- tablegen -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The KV cache handle and the quantised element types.

#ifndef RLX_IR_RLXTYPES_TD
#define RLX_IR_RLXTYPES_TD

include "rlx/IR/RLXBase.td"

def RLX_KVCacheType : RLX_Type<"KVCache", "kv_cache"> {
  let summary = "handle of the KV caches of the BATCH sequences of a step";
  let description = [{
    The handle knows, for each sequence, its PAST_SEQ and, for each
    `rlx.kv_slot`, the memory of its planes. Ops that append return the next
    state of the cache; an earlier state must not be read after a later one was
    made.
  }];
}

def RLX_QuantType : RLX_Type<"Quant", "quant"> {
  let summary = "element type of a block-quantised tensor";
  let description = [{
    `format` is a GGUF block format; `block` elements that follow each other in
    a row share `bytes` bytes, scale included. The parameters default to those
    of the format and are checked against it.

    ```mlir
    tensor<256x1024x!rlx.quant<"q8_0">>
    ```

    Formats: q8_0, q4_0, q4_1, q5_0, q5_1, iq4_nl (blocks of 32), q2_k to q6_k,
    iq4_xs (256).

    Rules:

    - quant_c1: the format is known;
    - quant_c2: block and bytes, if given, are the format's.
  }];
  let parameters = (ins "::mlir::StringAttr":$format, "int64_t":$block, "int64_t":$bytes);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let builders = [
    TypeBuilder<(ins "::llvm::StringRef":$format)>
  ];
  let extraClassDeclaration = [{
    /// Whether a format of that name is known.
    static bool isKnownFormat(::llvm::StringRef format);
  }];
}

#endif // RLX_IR_RLXTYPES_TD
