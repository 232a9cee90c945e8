//===- RLXBase.td - RLX dialect definition -----------------*- tablegen -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The dialect itself and the base classes of its attributes, types and ops.

#ifndef RLX_IR_RLXBASE_TD
#define RLX_IR_RLXBASE_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"

def RLX_Dialect : Dialect {
  let name = "rlx";
  let cppNamespace = "::rlx";
  let summary = "Gemma prefill and decode with symbolic sequence lengths";
  let description = [{
    The vocabulary of Gemma language models. Activations are ranked `f32`
    tensors whose sizes may be affine expressions of symbols, written as the
    tensor's encoding: `tensor<?x?x256xf32, #rlx.dims<BATCH, SEQ, 256>>`. Each
    symbol is declared once, with its range, in the module attribute
    `rlx.symbols`; a function may narrow the ranges for itself in an attribute
    of the same name.

    Weights are `rlx.weight` symbols: they name bytes of the checkpoint and are
    never inlined. The KV cache is a handle, `!rlx.kv_cache`, threaded through
    the ops that append to it, so that order is a data dependence; the layout
    of each part is an `rlx.kv_slot` symbol.

    Positions are absolute: token i of a step stands at PAST_SEQ + i.

    A function with the attribute `rlx.role` computes a step:

    ```mlir
    func.func @decode(%ids: tensor<?x1xi32, #rlx.dims<BATCH, 1>>, %cache: !rlx.kv_cache,
                      %out_begin: index)
        -> (tensor<?x?x262144xf32, #rlx.dims<BATCH, OUT, 262144>>,
            tensor<?x?x1152xf32, #rlx.dims<BATCH, OUT, 1152>>, !rlx.kv_cache)
        attributes {rlx.role = "decode"}
    ```

    It takes the new tokens, the cache and the first of the OUT positions whose
    results are wanted; it returns their logits, their hidden states (may be
    left out) and the cache's next state.

    Rules for the attributes of modules and functions, and for every op:

    - symbols_c1: `rlx.symbols` stands on a module or a function;
    - symbols_c2: it is an array of #rlx.symbol;
    - symbols_c3: it declares each symbol once;
    - symbols_c4: a function's range lies within the module's;
    - role_c1: `rlx.role` is "prefill" or "decode" and stands on a function;
    - role_c2: the arguments are i32 [BATCH, SEQ], the cache, and an index;
    - role_c3: the results are logits and optionally hidden states, f32
      [BATCH, OUT, …], then the cache;
    - role_c4: SEQ is 1 in a decode function;
    - sizes_c1: every symbol of an operand or result is declared;
    - sizes_c2: sizes that are not static are given by #rlx.dims;
    - sizes_c3: only the first two sizes (sequences, tokens) may be symbolic;
    - cache_c1: a state of the cache is not used after an op that appends to it
      (rlx.positions may: appending does not change PAST_SEQ).
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let extraClassDeclaration = [{
    /// Name of the attribute (of a module, or of a function that narrows it)
    /// which declares the symbols: an array of #rlx.symbol.
    static constexpr ::llvm::StringLiteral kSymbolsAttr = "rlx.symbols";
    /// Name of the function attribute that tells the role: "prefill" or "decode".
    static constexpr ::llvm::StringLiteral kRoleAttr = "rlx.role";
    /// The symbols that have a meaning of their own: sequences of a step, new
    /// tokens of each, cached tokens before them, positions with logits.
    static constexpr ::llvm::StringLiteral kBatchSymbol = "BATCH";
    static constexpr ::llvm::StringLiteral kSeqSymbol = "SEQ";
    static constexpr ::llvm::StringLiteral kPastSymbol = "PAST_SEQ";
    static constexpr ::llvm::StringLiteral kOutSymbol = "OUT";
    void registerAttributes();
    void registerTypes();
  }];
}

class RLX_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<RLX_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

class RLX_Type<string name, string typeMnemonic, list<Trait> traits = []>
    : TypeDef<RLX_Dialect, name, traits> {
  let mnemonic = typeMnemonic;
}

class RLX_Op<string mnemonic, list<Trait> traits = []>
    : Op<RLX_Dialect, mnemonic, traits>;

/// Every symbol in the type of an operand or result is declared.
def RLX_SymbolicSizes : NativeOpTrait<"SymbolicSizes"> {
  let cppNamespace = "::rlx";
}

#endif // RLX_IR_RLXBASE_TD
