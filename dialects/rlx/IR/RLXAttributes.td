//===- RLXAttributes.td - RLX attributes -------------------*- tablegen -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Symbolic shapes, RoPE parameters, weight sources and their transforms.

#ifndef RLX_IR_RLXATTRIBUTES_TD
#define RLX_IR_RLXATTRIBUTES_TD

include "rlx/IR/RLXBase.td"
include "mlir/IR/TensorEncoding.td"

//===----------------------------------------------------------------------===//
// Symbolic shapes
//===----------------------------------------------------------------------===//

def RLX_DimsAttr : RLX_Attr<"Dims", "dims",
    [DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let summary = "the sizes of a tensor as affine expressions of symbols";
  let description = [{
    One expression per dimension, over named symbols:

    ```mlir
    tensor<?x?x256xf32, #rlx.dims<BATCH, PAST_SEQ + SEQ, 256>>
    ```

    Expressions are `+`, `*` by a constant, `floordiv`, `ceildiv` and `mod` of
    symbols and integers. The attribute is canonical: symbols are sorted and
    only those used are kept, expressions are simplified, so that `A + B` and
    `B + A` give the same type. A dimension is static in the tensor type
    exactly when its expression is a constant.

    Rules:

    - dims_c1: there is one expression for each dimension;
    - dims_c2: constants equal the tensor type's sizes, other expressions stand
      for dynamic sizes.
  }];
  let parameters = (ins
    ArrayRefParameter<"::mlir::StringAttr">:$symbols,
    "::mlir::AffineMap":$map
  );
  let hasCustomAssemblyFormat = 1;
  let skipDefaultBuilders = 1;
  let builders = [
    AttrBuilder<(ins "::llvm::ArrayRef<::mlir::StringAttr>":$symbols,
                     "::llvm::ArrayRef<::mlir::AffineExpr>":$dims)>
  ];
  let extraClassDeclaration = [{
    unsigned getRank() const { return getMap().getNumResults(); }
    ::mlir::AffineExpr getDim(unsigned i) const { return getMap().getResult(i); }
    /// The text of dimension i, e.g. "PAST_SEQ + SEQ".
    std::string dimToString(unsigned i) const;
    /// The shape for a builtin tensor type: constants, kDynamic elsewhere.
    ::llvm::SmallVector<int64_t> getShape() const;
    /// Replaces symbols by expressions (e.g. SEQ by 1); keeps the others.
    DimsAttr substitute(
        ::llvm::function_ref<std::optional<int64_t>(::mlir::StringAttr)> value) const;
    /// Value of dimension i with every symbol replaced, or nullopt where
    /// `value` does not know one.
    std::optional<int64_t> evaluate(unsigned i,
        ::llvm::function_ref<std::optional<int64_t>(::mlir::StringAttr)> value) const;
  }];
}

def RLX_SymbolAttr : RLX_Attr<"Symbol", "symbol"> {
  let summary = "declares a symbolic size and its inclusive range";
  let description = [{
    ```mlir
    module attributes {rlx.symbols = [#rlx.symbol<"SEQ", 1, 512>]} {}
    ```

    Rules:

    - symbol_c1: the name is not empty;
    - symbol_c2: 0 ≤ min ≤ max ≤ 2³².
  }];
  let parameters = (ins "::mlir::StringAttr":$name, "int64_t":$min, "int64_t":$max);
  let assemblyFormat = "`<` $name `,` $min `,` $max `>`";
  let genVerifyDecl = 1;
}

//===----------------------------------------------------------------------===//
// Enumerations
//===----------------------------------------------------------------------===//

def RLX_GainConvention : I32EnumAttr<"GainConvention", "how a norm's stored gain is read", [
    I32EnumAttrCase<"Plain", 0, "plain">, I32EnumAttrCase<"OnePlus", 1, "one_plus">]> {
  let cppNamespace = "::rlx";
}
def RLX_KVType : I32EnumAttr<"KVType", "element type of the KV cache", [
    I32EnumAttrCase<"F32", 0, "f32">, I32EnumAttrCase<"F16", 1, "f16">,
    I32EnumAttrCase<"BF16", 2, "bf16">, I32EnumAttrCase<"Q8_0", 3, "q8_0">]> {
  let cppNamespace = "::rlx";
}
def RLX_Mask : I32EnumAttr<"Mask", "which keys a query may see", [
    I32EnumAttrCase<"Causal", 0, "causal">]> {
  let cppNamespace = "::rlx";
}
def RLX_Combine : I32EnumAttr<"Combine", "how the sources of a weight form one tensor", [
    I32EnumAttrCase<"None", 0, "none">, I32EnumAttrCase<"Concat", 1, "concat">,
    I32EnumAttrCase<"Interleave", 2, "interleave">]> {
  let cppNamespace = "::rlx";
}
def RLX_Role : I32EnumAttr<"Role", "what a forward function is for", [
    I32EnumAttrCase<"Prefill", 0, "prefill">, I32EnumAttrCase<"Decode", 1, "decode">]> {
  let cppNamespace = "::rlx";
}

//===----------------------------------------------------------------------===//
// RoPE
//===----------------------------------------------------------------------===//

def RLX_RopeAttr : RLX_Attr<"Rope", "rope"> {
  let summary = "frequencies of a rotary position embedding (arXiv:2104.09864)";
  let description = [{
    Pair i of the `dim`/2 pairs turns by pos * inv_freq(i) radians, with
    inv_freq(i) = base^(-2i/dim) before scaling. `scaling` is

    - `none`;
    - `linear`: inv_freq(i) / factor;
    - `llama3`: wavelengths 2π/inv_freq below original_max/high are kept, above
      original_max/low are divided by factor, smoothly mixed in between;
    - explicit `freq_factors` (may be empty), which divide inv_freq(i) in any case.

    ```mlir
    #rlx.rope<base = 1.0e+06 : f64, dim = 256, scaling = "linear", factor = 8.0 : f64>
    ```

    Rules:

    - rope_attr_c1: the base is positive;
    - rope_attr_c2: dim is positive and even;
    - rope_attr_c3: the scaling is one of the three;
    - rope_attr_c4: a scaling other than `none` has a positive factor;
    - rope_attr_c5: `llama3` has 0 < low < high and a positive original_max;
    - rope_attr_c6: there are dim/2 positive freq_factors, if any.
  }];
  let parameters = (ins
    "::mlir::FloatAttr":$base,
    "int64_t":$dim,
    DefaultValuedParameter<"::mlir::StringAttr", "::mlir::StringAttr::get($_ctxt, \"none\")">:$scaling,
    OptionalParameter<"::mlir::FloatAttr">:$factor,
    OptionalParameter<"::mlir::FloatAttr">:$low,
    OptionalParameter<"::mlir::FloatAttr">:$high,
    DefaultValuedParameter<"int64_t", "0">:$original_max,
    OptionalParameter<"::mlir::DenseF64ArrayAttr">:$freq_factors
  );
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The dim/2 inverse frequencies in radians per position, in double.
    ::llvm::SmallVector<double> inverseFrequencies() const;
  }];
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

def RLX_SourceAttr : RLX_Attr<"Source", "source"> {
  let summary = "a tensor of the checkpoint: file, offset and stored type";
  let description = [{
    `offset` is in bytes from the start of `file`; `type` is the tensor as
    stored, its shape row-major with the rows of a matrix being outputs.

    ```mlir
    #rlx.source<file = "model.safetensors", tensor = "model.norm.weight",
                offset = 1024, type = tensor<256xbf16>>
    ```

    Rules:

    - source_c1: the offset is 0 or more;
    - source_c2: the type is static, has a rank of 1 or more, and its elements are
      f32, f16, bf16 or a quantised type;
    - source_c3: every size is between 1 and 2³¹, and there are at most 2⁴⁰ elements.
  }];
  let parameters = (ins "::mlir::StringAttr":$file, "::mlir::StringAttr":$tensor,
                        "int64_t":$offset, "::mlir::RankedTensorType":$type);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def RLX_AddScalarAttr : RLX_Attr<"AddScalar", "add_scalar"> {
  let summary = "weight transform: adds a constant to every element";
  let description = [{
    Elements become f32, then `value` is added: `#rlx.add_scalar<1.0 : f32>`.
  }];
  let parameters = (ins "::mlir::FloatAttr":$value);
  let assemblyFormat = "`<` $value `>`";
}

def RLX_ConvertAttr : RLX_Attr<"Convert", "convert"> {
  let summary = "weight transform: converts or quantises the elements";
  let description = [{
    `#rlx.convert<bf16>`, `#rlx.convert<!rlx.quant<"q8_0">>`.

    Rule convert_c1: the type is f32, f16, bf16 or a quantised type.
  }];
  let parameters = (ins "::mlir::Type":$elementType);
  let assemblyFormat = "`<` $elementType `>`";
  let genVerifyDecl = 1;
}

def RLX_ResidualNormsAttr : RLX_Attr<"ResidualNorms", "residual_norms"> {
  let summary = "weight transform: how far a coarser copy of each row is off";
  let description = [{
    Each row x becomes two f32, ‖x - x'‖ and ‖x‖ in the Euclidean norm, rounded up, x' being x
    converted to `elementType`. By Cauchy and Schwarz, products of x and x' with a vector v differ
    by at most ‖x - x'‖ ‖v‖. Example: `#rlx.residual_norms<!rlx.quant<"q4_0">>`.

    Rule residual_norms_c1: the type is a quantised type.
  }];
  let parameters = (ins "::mlir::Type":$elementType);
  let assemblyFormat = "`<` $elementType `>`";
  let genVerifyDecl = 1;
}

def RLX_PackAttr : RLX_Attr<"Pack", "pack"> {
  let summary = "weight transform: lays the tensor out for the kernels";
  let description = [{
    `layout` is "row" (row-major) or "r16" (panels of 16 rows); see
    rlx/Packing/Layouts.h. Example: `#rlx.pack<"r16">`.

    Rule pack_c1: the layout is one of the two.
  }];
  let parameters = (ins "::mlir::StringAttr":$layout);
  let assemblyFormat = "`<` $layout `>`";
  let genVerifyDecl = 1;
}

#endif // RLX_IR_RLXATTRIBUTES_TD
