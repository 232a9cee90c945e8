//===- RLXSymbolOps.td - weights, KV slots, variants -------*- tablegen -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Ops that stand in the module's body and are referenced by name.

#ifndef RLX_IR_RLXSYMBOLOPS_TD
#define RLX_IR_RLXSYMBOLOPS_TD

include "rlx/IR/RLXAttributes.td"
include "rlx/IR/RLXTypes.td"

def RLX_WeightOp : RLX_Op<"weight", [Symbol, HasParent<"::mlir::ModuleOp">]> {
  let summary = "a weight of the model, by reference to the checkpoint";
  let description = [{
    The tensor `type` is what remains after the sources were put together
    (`combine`) and every transform was applied in order:

    - `none`: exactly one source;
    - `concat`: the rows of the sources one after another;
    - `interleave`: 16 rows of each source in turn (the last group of each may
      be shorter).

    Of the transforms, #rlx.add_scalar gives f32 elements, #rlx.convert those
    that it names, #rlx.residual_norms two f32 for each row, and #rlx.pack keeps
    them.

    `offset` and `size` (bytes in the packed weights) are set when the weights
    are laid out.

    ```mlir
    rlx.weight @kv : tensor<128x256xf32>
      from [#rlx.source<file = "model.safetensors", tensor = "k", offset = 0,
                        type = tensor<64x256xbf16>>,
            #rlx.source<file = "model.safetensors", tensor = "v", offset = 32768,
                        type = tensor<64x256xbf16>>] combine concat
      transforms [#rlx.convert<f32>, #rlx.pack<"r16">] at 64 size 131072
    ```

    Rules:

    - weight_c1: there are sources, each a #rlx.source;
    - weight_c2: one source without `combine`, two or more with it;
    - weight_c3: sources differ at most in their rows, with `interleave` not at
      all in their shape;
    - weight_c4: their rows sum to the weight's and their columns are the weight's, or
      any number with #rlx.residual_norms;
    - weight_c5: transforms are #rlx.add_scalar, #rlx.convert, #rlx.residual_norms or
      #rlx.pack;
    - weight_c6: #rlx.pack comes last, and "r16" is for matrices;
    - weight_c7: sources of different element types are converted;
    - weight_c8: the element type is what sources and transforms give;
    - weight_c9: rows of a quantised type are a whole number of blocks;
    - weight_c10: offset and size come together, up to 2⁵⁰, the offset a multiple of 64;
    - weight_c11: #rlx.residual_norms is for matrices, and at most #rlx.pack follows it.
  }];
  let arguments = (ins
    SymbolNameAttr:$sym_name,
    TypeAttrOf<AnyRankedTensor>:$type,
    ArrayAttr:$sources,
    DefaultValuedAttr<RLX_Combine, "::rlx::Combine::None">:$combine,
    DefaultValuedAttr<ArrayAttr, "{}">:$transforms,
    OptionalAttr<I64Attr>:$offset,
    OptionalAttr<I64Attr>:$size
  );
  let assemblyFormat = [{
    $sym_name `:` $type `from` $sources (`combine` $combine^)?
    (`transforms` $transforms^)? (`at` $offset^ `size` $size)? attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::RankedTensorType getTensorType() {
      return ::llvm::cast<::mlir::RankedTensorType>(getType());
    }
    /// Whether its rows are norms of those of its sources.
    bool hasResidualNorms();
  }];
}

def RLX_KVSlotOp : RLX_Op<"kv_slot", [Symbol, HasParent<"::mlir::ModuleOp">]> {
  let summary = "layout of one part of the KV cache";
  let description = [{
    `window` 0 keeps every position up to the context; otherwise the slot is a
    ring that serves queries which see `window` keys, themselves included.
    Several layers may read one slot.

    ```mlir
    rlx.kv_slot @kv0 heads 1 head_dim 256 type f16 window 512
    ```

    Rules:

    - kv_slot_c1: the number of heads is positive, head_dim positive and even;
    - kv_slot_c2: the window is 0 or more;
    - kv_slot_c3: with type q8_0, whose scales each belong to 32 features, head_dim is a multiple of 32.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$kv_heads, I64Attr:$head_dim,
                       RLX_KVType:$kv_type, DefaultValuedAttr<I64Attr, "0">:$window);
  let assemblyFormat = "$sym_name `heads` $kv_heads `head_dim` $head_dim `type` $kv_type (`window` $window^)? attr-dict";
  let hasVerifier = 1;
}

def RLX_VariantOp : RLX_Op<"variant", [Symbol, HasParent<"::mlir::ModuleOp">,
                                      DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "an entry of the dispatch table";
  let description = [{
    Says that `function` computes its role for SEQ and PAST_SEQ in the given
    inclusive ranges. Of the variants that fit a step, the narrowest is used;
    the variant named `generic` covers every step of its model.

    ```mlir
    rlx.variant @prefill_seq_le_64 calls @forward_prefill_seq_le_64 role prefill seq 1 to 64 past 0 to 8191
    ```

    Rules:

    - variant_c1: 1 ≤ least SEQ ≤ largest SEQ;
    - variant_c2: 0 ≤ least PAST_SEQ ≤ largest PAST_SEQ;
    - variant_c3: a decode variant has SEQ 1;
    - variant_c4: the function exists;
    - variant_c5: the function's role is the variant's;
    - variant_c6: the ranges lie within those of the function's symbols.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, FlatSymbolRefAttr:$function, RLX_Role:$role,
                       I64Attr:$seq_min, I64Attr:$seq_max, I64Attr:$past_min, I64Attr:$past_max);
  let assemblyFormat = [{
    $sym_name `calls` $function `role` $role `seq` $seq_min `to` $seq_max
    `past` $past_min `to` $past_max attr-dict
  }];
  let hasVerifier = 1;
}

#endif // RLX_IR_RLXSYMBOLOPS_TD
