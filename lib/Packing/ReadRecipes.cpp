//===- ReadRecipes.cpp - Recipes from rlx.weight ops ----------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Checks that each weight of a module can be packed from the tensors that it names.
//===----------------------------------------------------------------------===//
#include "rlx/Packing/PackWeights.h"
#include "rlx/Packing/Quantize.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace rlx;

template <typename... Args>
static llvm::Error weightError(WeightOp weight, const char *format, Args &&...args) {
  return llvm::createStringError("weight '" + weight.getSymName().str() +
                                 "': " + llvm::formatv(format, std::forward<Args>(args)...).str());
}

static std::string text(Type type) {
  std::string result;
  llvm::raw_string_ostream(result) << type;
  return result;
}

/// The stored element type that `type` stands for.
static std::optional<DType> dtypeOf(Type type) {
  if (type.isF32())
    return DType::F32;
  if (type.isF16())
    return DType::F16;
  if (type.isBF16())
    return DType::BF16;
  if (auto quant = dyn_cast<QuantType>(type))
    return parseDType(quant.getFormat());
  return std::nullopt;
}

static llvm::Error readSources(WeightOp weight, TensorResolver resolve, WeightRecipe &recipe) {
  for (auto source : weight.getSources().getAsRange<SourceAttr>()) {
    llvm::Expected<const Tensor *> tensor = resolve(source);
    if (!tensor)
      return tensor.takeError();
    std::optional<DType> type = dtypeOf(source.getType().getElementType());
    if (type != (*tensor)->type || source.getType().getShape() != ArrayRef((*tensor)->shape) ||
        static_cast<uint64_t>(source.getOffset()) != (*tensor)->offset)
      return weightError(weight,
                         "expected tensor '{0}' of {1} to have type {2} at offset {3}, but the "
                         "file has changed; import the checkpoint again",
                         (*tensor)->name, (*tensor)->file, text(source.getType()),
                         source.getOffset());
    recipe.sources.push_back(*tensor);
  }
  return llvm::Error::success();
}

static llvm::Error readTransforms(WeightOp weight, WeightRecipe &recipe) {
  bool packed = false;
  for (Attribute transform : weight.getTransforms()) {
    if (packed)
      return weightError(weight, "expected #rlx.pack to be the last transform");
    if (auto add = dyn_cast<AddScalarAttr>(transform)) {
      recipe.transforms.push_back({WeightTransform::AddScalar,
                                   static_cast<float>(add.getValue().getValueAsDouble()),
                                   DType::F32});
    } else if (auto convert = dyn_cast<ConvertAttr>(transform)) {
      std::optional<DType> type = dtypeOf(convert.getElementType());
      if (!type || (isQuantized(*type) && !canQuantize(formatOf(*type))))
        return weightError(weight, "expected a conversion to f32, f16, bf16, {0} but got {1}",
                           "q8_0, q4_0, q5_0, q4_k or q6_k", text(convert.getElementType()));
      recipe.transforms.push_back({WeightTransform::Convert, 0.0f, *type});
    } else if (auto norms = dyn_cast<ResidualNormsAttr>(transform)) {
      std::optional<DType> type = dtypeOf(norms.getElementType());
      if (!type || !isQuantized(*type) || !canQuantize(formatOf(*type)))
        return weightError(weight, "expected norms of a conversion to {0} but got {1}",
                           "q8_0, q4_0, q5_0, q4_k or q6_k", text(norms.getElementType()));
      recipe.transforms.push_back({WeightTransform::ResidualNorms, 0.0f, *type});
    } else if (auto pack = dyn_cast<PackAttr>(transform)) {
      llvm::StringRef layout = pack.getLayout().getValue();
      recipe.layout = layout == "row" ? WeightLayout::Row : WeightLayout::R16;
      packed = true;
    }
  }
  if (!packed)
    return weightError(weight, "expected a last transform #rlx.pack; run rlx-pack-weights first");
  return llvm::Error::success();
}

/// Checks that the shapes of the sources add up to the declared one.
static llvm::Error checkShape(WeightOp weight, const WeightRecipe &recipe) {
  uint64_t rows = 0;
  for (const Tensor *tensor : recipe.sources) {
    rows += tensor->numRows();
    uint64_t columns = tensor->shape.empty() ? 1 : tensor->shape.back();
    if (columns != recipe.sourceColumns)
      return weightError(weight, "expected rows of {0} elements but tensor '{1}' has {2}",
                         recipe.sourceColumns, tensor->name, columns);
    if (recipe.combine == Combine::Interleave &&
        tensor->numRows() != recipe.sources.front()->numRows())
      return weightError(weight, "expected interleaved tensors of {0} rows but '{1}' has {2}",
                         recipe.sources.front()->numRows(), tensor->name, tensor->numRows());
  }
  if (rows != recipe.rows)
    return weightError(weight, "expected {0} rows but its sources have {1}", recipe.rows, rows);
  if (unsigned block = blockFormat(recipe.format).scaleColumns; block && recipe.columns % block)
    return weightError(weight, "expected rows of a multiple of {0} elements for {1} but got {2}",
                       block, text(weight.getTensorType().getElementType()), recipe.columns);
  if (!keepsBlocks(recipe) && isQuantized(recipe.format) && !canQuantize(recipe.format))
    return weightError(weight,
                       "expected sources of {0} but got others, which RLX cannot make it of",
                       text(weight.getTensorType().getElementType()));
  if (recipe.layout == WeightLayout::Row && recipe.format != WeightFormat::F32)
    return weightError(weight, "expected f32 in layout 'row' but got {0}",
                       text(weight.getTensorType().getElementType()));
  uint64_t padded = rows;
  if (recipe.combine == Combine::Interleave)
    padded = panelCount(recipe.sources.front()->numRows()) * kPanelRows * recipe.sources.size();
  uint64_t size = packedBytes(recipe.layout, recipe.format, padded, recipe.columns);
  if (size != recipe.size)
    return weightError(weight, "expected a place of {0} bytes but got {1}", size, recipe.size);
  return llvm::Error::success();
}

static llvm::Expected<WeightRecipe> readRecipe(WeightOp weight, TensorResolver resolve) {
  WeightRecipe recipe;
  recipe.name = weight.getSymName().str();
  recipe.combine = weight.getCombine();
  if (!weight.getOffset())
    return weightError(weight, "expected a place; run rlx-assign-weight-layout first");
  recipe.offset = *weight.getOffset();
  recipe.size = *weight.getSize();
  RankedTensorType type = weight.getTensorType();
  std::optional<DType> element = dtypeOf(type.getElementType());
  if (!element || !type.hasStaticShape() || type.getRank() == 0)
    return weightError(weight,
                       "expected a static tensor of f32, f16, bf16 or a quantised type but got {0}",
                       text(type));
  recipe.format = formatOf(*element);
  recipe.columns = type.getShape().back();
  recipe.rows = type.getNumElements() / std::max<int64_t>(1, recipe.columns);
  recipe.sourceColumns = recipe.columns;
  if (weight.hasResidualNorms())
    recipe.sourceColumns = cast<SourceAttr>(weight.getSources()[0]).getType().getShape().back();
  if (llvm::Error error = readSources(weight, resolve, recipe))
    return std::move(error);
  if (llvm::Error error = readTransforms(weight, recipe))
    return std::move(error);
  if (llvm::Error error = checkShape(weight, recipe))
    return std::move(error);
  return recipe;
}

llvm::Expected<std::vector<WeightRecipe>> rlx::readRecipes(ModuleOp module,
                                                           TensorResolver resolve) {
  std::vector<WeightRecipe> recipes;
  for (auto weight : module.getOps<WeightOp>()) {
    llvm::Expected<WeightRecipe> recipe = readRecipe(weight, resolve);
    if (!recipe)
      return recipe.takeError();
    recipes.push_back(std::move(*recipe));
  }
  llvm::sort(recipes,
             [](const WeightRecipe &a, const WeightRecipe &b) { return a.offset < b.offset; });
  uint64_t end = 0;
  for (const WeightRecipe &recipe : recipes) {
    if (recipe.offset < end)
      return llvm::createStringError("weight '" + recipe.name + "' overlaps the one before it");
    end = recipe.offset + recipe.size;
  }
  return recipes;
}
