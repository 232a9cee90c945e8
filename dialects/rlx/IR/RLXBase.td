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

#endif // RLX_IR_RLXBASE_TD
