//===- PackWeights.cpp - Element types and layouts of weights -------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Appends the conversion and layout of each weight to its transforms.
//
//===----------------------------------------------------------------------===//
#include "WeightTable.h"
#include "rlx/Transforms/Passes.h"

namespace rlx {
#define GEN_PASS_DEF_PACKWEIGHTS
#include "rlx/Transforms/Passes.h.inc"
} // namespace rlx

using namespace mlir;
using namespace rlx;

/// The element type that an option's value names; null where it names none that
/// weights can be converted to.
static Type parseElementType(StringRef name, MLIRContext *context) {
  for (StringRef format : {"q8_0", "q4_0", "q5_0", "q4_k", "q6_k"})
    if (name == format)
      return QuantType::get(context, format);
  return llvm::StringSwitch<Type>(name)
      .Case("f32", Float32Type::get(context))
      .Case("f16", Float16Type::get(context))
      .Case("bf16", BFloat16Type::get(context))
      .Default(Type());
}

/// What takes the place of a quantised type whose blocks rows do not fill: the next
/// better one with short blocks. Null: nothing does.
static Type getFallback(QuantType type) {
  StringRef name = llvm::StringSwitch<StringRef>(type.getFormat())
                       .Case("q4_k", "q5_0")
                       .Case("q6_k", "q8_0")
                       .Default("");
  return parseElementType(name, type.getContext());
}

static std::string describe(Type type) {
  if (auto quantised = dyn_cast<QuantType>(type))
    return quantised.getFormat().str();
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

namespace {
struct PackWeights : rlx::impl::PackWeightsBase<PackWeights> {
  using PackWeightsBase::PackWeightsBase;

  void runOnOperation() override {
    if (failed(parseOptions()))
      return signalPassFailure();
    llvm::DenseSet<StringAttr> embeddings;
    getOperation().walk([&](EmbeddingOp op) { embeddings.insert(op.getWeightAttr().getAttr()); });
    for (auto weight : getOperation().getOps<WeightOp>()) {
      if (isPacked(weight))
        continue;
      RankedTensorType type = weight.getTensorType();
      if (type.getRank() == 1) {
        pack(weight, Float32Type::get(&getContext()), "row");
      } else if (type.getRank() == 2) {
        bool isEmbedding = embeddings.contains(weight.getSymNameAttr());
        pack(weight, chooseType(weight, isEmbedding), "r16");
      } else {
        weight.emitOpError("expected a vector or a matrix but got ") << type;
        return signalPassFailure();
      }
    }
  }

private:
  LogicalResult parseOptions() {
    auto parse = [&](StringRef option, StringRef value, StringRef choices, Type &type,
                     bool allowed(Type)) -> LogicalResult {
      type = parseElementType(value, &getContext());
      if (value.empty() || (type && allowed(type)))
        return success();
      return getOperation().emitError("expected ")
             << option << " to be " << choices << " but got '" << value << "'";
    };
    auto isFloat = [](Type type) { return isa<FloatType>(type); };
    auto isQuantised = [](Type type) {
      auto quantised = dyn_cast<QuantType>(type);
      return quantised && quantised.getFormat() != "q5_0" && quantised.getFormat() != "q6_k";
    };
    auto isAny = [](Type type) { return true; };
    return failure(
        failed(parse("dtype", dtype, "f32, f16 or bf16", floatType, isFloat)) ||
        failed(parse("quantize", quantize, "q8_0, q4_0 or q4_k", quantType, isQuantised)) ||
        failed(parse("embedding", embedding, "f32, f16, bf16, q8_0, q4_0, q5_0, q4_k or q6_k",
                     embeddingType, isAny)));
  }

  /// What the options ask for, whether or not the matrix can have it; null: as it is.
  Type getWantedType(bool isEmbedding) {
    if (isEmbedding && embeddingType)
      return embeddingType;
    if (isEmbedding && quantType && quantize != "q8_0")
      return parseElementType(quantize == "q4_k" ? "q6_k" : "q8_0", &getContext());
    return quantType ? quantType : floatType;
  }

  /// The final element type of a matrix.
  Type chooseType(WeightOp weight, bool isEmbedding) {
    Type stored = weight.getTensorType().getElementType();
    Type wanted = getWantedType(isEmbedding), unquantised = floatType ? floatType : stored;
    // Quantising what is quantised already would only add error.
    if (wanted && isa<QuantType>(wanted) && isa<QuantType>(stored))
      return stored;
    int64_t columns = weight.getTensorType().getDimSize(1);
    Type chosen = wanted ? wanted : unquantised;
    while (auto quantised = dyn_cast_or_null<QuantType>(chosen)) {
      if (columns % quantised.getBlock() == 0)
        break;
      chosen = getFallback(quantised);
    }
    if (!chosen)
      chosen = unquantised;
    if (wanted && chosen != wanted)
      weight.emitRemark("weight '")
          << weight.getSymName() << "' " << (chosen == stored ? "stays " : "becomes ")
          << describe(chosen) << ": its rows of " << columns << " elements are no multiple of the "
          << cast<QuantType>(wanted).getBlock() << " of a block of " << describe(wanted);
    return chosen;
  }

  void pack(WeightOp weight, Type elementType, StringRef layout) {
    SmallVector<Attribute> transforms(weight.getTransforms().getValue());
    RankedTensorType type = weight.getTensorType();
    if (type.getElementType() != elementType)
      transforms.push_back(ConvertAttr::get(&getContext(), elementType));
    transforms.push_back(PackAttr::get(&getContext(), StringAttr::get(&getContext(), layout)));
    weight.setTypeAttr(TypeAttr::get(RankedTensorType::get(type.getShape(), elementType)));
    weight.setTransformsAttr(ArrayAttr::get(&getContext(), transforms));
  }

  Type floatType, quantType, embeddingType;
};
} // namespace
