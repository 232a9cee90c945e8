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

/// The element type that an option's value names; null where it names none.
static Type parseElementType(StringRef name, MLIRContext *context) {
  return llvm::StringSwitch<Type>(name)
      .Case("f32", Float32Type::get(context))
      .Case("f16", Float16Type::get(context))
      .Case("bf16", BFloat16Type::get(context))
      .Case("q8_0", QuantType::get(context, "q8_0"))
      .Case("q4_0", QuantType::get(context, "q4_0"))
      .Default(Type());
}

static std::string describe(Type type) {
  if (auto quantised = dyn_cast<QuantType>(type))
    return quantised.getFormat().str();
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

/// Whether kernels read matrices of this element type.
static bool hasKernels(Type type) {
  if (auto quantised = dyn_cast<QuantType>(type))
    return quantised.getFormat() == "q8_0" || quantised.getFormat() == "q4_0";
  return type.isF32() || type.isF16() || type.isBF16();
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
    reportExpanded();
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
    auto isQuantised = [](Type type) { return isa<QuantType>(type); };
    auto isAny = [](Type) { return true; };
    return failure(failed(parse("dtype", dtype, "f32, f16 or bf16", floatType, isFloat)) ||
                   failed(parse("quantize", quantize, "q8_0 or q4_0", quantType, isQuantised)) ||
                   failed(parse("embedding", embedding, "f32, f16, bf16, q8_0 or q4_0",
                                embeddingType, isAny)));
  }

  /// What the options ask for, whether or not the matrix can have it; null: as it is.
  Type getWantedType(bool isEmbedding) {
    if (isEmbedding && embeddingType)
      return embeddingType;
    if (isEmbedding && quantType && quantize == "q4_0")
      return parseElementType("q8_0", &getContext());
    return quantType ? quantType : floatType;
  }

  /// The final element type of a matrix.
  Type chooseType(WeightOp weight, bool isEmbedding) {
    Type stored = weight.getTensorType().getElementType();
    Type wanted = getWantedType(isEmbedding);
    // Quantising what is quantised already would only add error.
    if (wanted && isa<QuantType>(wanted) && isa<QuantType>(stored) && hasKernels(stored))
      return stored;
    Type unquantised = floatType            ? floatType
                       : hasKernels(stored) ? stored
                                            : Type(BFloat16Type::get(&getContext()));
    if (!wanted)
      wanted = unquantised;
    int64_t columns = weight.getTensorType().getDimSize(1);
    if (auto quantised = dyn_cast<QuantType>(wanted); quantised && columns % quantised.getBlock()) {
      weight.emitRemark("weight '")
          << weight.getSymName() << "' stays " << describe(unquantised) << ": its rows of "
          << columns << " elements are no multiple of the " << quantised.getBlock()
          << " of a block of " << describe(quantised);
      wanted = unquantised;
    }
    if (!hasKernels(stored))
      ++expanded[{describe(stored), describe(wanted)}];
    return wanted;
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

  void reportExpanded() {
    for (const auto &[types, count] : expanded)
      getOperation().emitRemark(std::to_string(count))
          << " weights of format " << types.first << ", which has no kernels, become "
          << types.second;
  }

  Type floatType, quantType, embeddingType;
  std::map<std::pair<std::string, std::string>, int64_t> expanded;
};
} // namespace
