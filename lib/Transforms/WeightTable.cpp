//===- WeightTable.cpp - Weights made of other weights --------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Naming, combining and taking apart of rlx.weight symbols.
//
//===----------------------------------------------------------------------===//
#include "WeightTable.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace rlx;

/// Rows of one panel of an interleaved weight, see rlx/Packing/Layouts.h.
static constexpr int64_t kPanelRows = 16;

bool rlx::isPacked(WeightOp weight) {
  return weight.getOffset() ||
         llvm::any_of(weight.getTransforms(), [](Attribute a) { return isa<PackAttr>(a); });
}

/// A name made of the components in which `parts` differ, between those that
/// they share: l0.q.weight, l0.k.weight gives l0.q_k.weight.
static std::string combinedName(ArrayRef<WeightOp> parts) {
  SmallVector<SmallVector<StringRef>> names;
  for (WeightOp part : parts)
    part.getSymName().split(names.emplace_back(), '.');
  size_t shortest = names.front().size();
  for (const auto &name : names)
    shortest = std::min(shortest, name.size());
  auto shared = [&](auto component) {
    return llvm::all_of(names, [&](auto &name) { return component(name) == component(names[0]); });
  };
  size_t prefix = 0, suffix = 0;
  while (prefix + 1 < shortest && shared([&](auto &name) { return name[prefix]; }))
    ++prefix;
  while (prefix + suffix + 1 < shortest &&
         shared([&](auto &name) { return name[name.size() - 1 - suffix]; }))
    ++suffix;
  ArrayRef<StringRef> first = names.front();
  SmallVector<std::string> result, middles;
  for (const auto &name : names)
    middles.push_back(llvm::join(ArrayRef(name).drop_front(prefix).drop_back(suffix), "."));
  for (StringRef component : first.take_front(prefix))
    result.push_back(component.str());
  result.push_back(llvm::join(middles, "_"));
  for (StringRef component : first.take_back(suffix))
    result.push_back(component.str());
  return llvm::join(result, ".");
}

std::optional<std::string> WeightTable::whyNotCombine(ArrayRef<WeightOp> parts, Combine how) {
  WeightOp first = parts.front();
  RankedTensorType firstType = first.getTensorType();
  for (WeightOp part : parts) {
    RankedTensorType type = part.getTensorType();
    if (part.getCombine() != Combine::None)
      return "a weight is made of several already";
    if (isPacked(part))
      return "a weight is packed already";
    if (type.getRank() != 2)
      return "a weight is not a matrix";
    if (type.getElementType() != firstType.getElementType() ||
        part.getTransforms() != first.getTransforms())
      return "the weights differ in type";
    if (type.getDimSize(1) != firstType.getDimSize(1))
      return "the weights differ in columns";
    if (how == Combine::Interleave && type.getDimSize(0) != firstType.getDimSize(0))
      return "the weights differ in rows";
    if (how == Combine::Interleave && type.getDimSize(0) % kPanelRows)
      return "the rows are no multiple of a panel's";
  }
  return std::nullopt;
}

WeightOp WeightTable::combine(ArrayRef<WeightOp> parts, Combine how) {
  WeightOp first = parts.front();
  SmallVector<Attribute> sources, names;
  int64_t rows = 0;
  for (WeightOp part : parts) {
    llvm::append_range(sources, part.getSources());
    names.push_back(StringAttr::get(module.getContext(), part.getSymName()));
    rows += part.getTensorType().getDimSize(0);
    replaced.insert(part.getSymNameAttr());
  }
  RankedTensorType type = first.getTensorType();
  Builder builder(module.getContext());
  return getOrCreate(first, combinedName(parts),
                     RankedTensorType::get({rows, type.getDimSize(1)}, type.getElementType()),
                     builder.getArrayAttr(sources), how, first.getTransforms(),
                     builder.getArrayAttr(names));
}

/// The name of part `i` of `fused`: the one that it had, if that is known.
static std::string partName(WeightOp fused, size_t i) {
  auto names = fused->getAttrOfType<ArrayAttr>(kPartsAttr);
  if (names && names.size() == fused.getSources().size())
    if (auto name = dyn_cast<StringAttr>(names[i]))
      return name.str();
  return (fused.getSymName() + "." + Twine(i)).str();
}

SmallVector<WeightOp> WeightTable::takeApart(WeightOp fused) {
  Builder builder(module.getContext());
  SmallVector<WeightOp> parts;
  for (auto [i, attribute] : llvm::enumerate(fused.getSources())) {
    auto source = cast<SourceAttr>(attribute);
    auto type =
        RankedTensorType::get(source.getType().getShape(), fused.getTensorType().getElementType());
    parts.push_back(getOrCreate(fused, partName(fused, i), type, builder.getArrayAttr(attribute),
                                Combine::None, fused.getTransforms(), {}));
  }
  replaced.insert(fused.getSymNameAttr());
  return parts;
}

WeightOp WeightTable::addOne(WeightOp gain) {
  Builder builder(module.getContext());
  SmallVector<Attribute> transforms(gain.getTransforms().getValue());
  RankedTensorType type = gain.getTensorType();
  transforms.push_back(AddScalarAttr::get(module.getContext(), builder.getF32FloatAttr(1.0f)));
  replaced.insert(gain.getSymNameAttr());
  return getOrCreate(gain, (gain.getSymName() + ".plain").str(), type.clone(builder.getF32Type()),
                     gain.getSources(), gain.getCombine(), builder.getArrayAttr(transforms), {});
}

WeightOp WeightTable::getOrCreate(WeightOp before, StringRef name, RankedTensorType type,
                                  ArrayAttr sources, Combine combine, ArrayAttr transforms,
                                  ArrayAttr parts) {
  if (auto found = symbols.lookup<WeightOp>(name))
    if (found.getTensorType() == type && found.getSources() == sources &&
        found.getCombine() == combine && found.getTransforms() == transforms)
      return found;
  OpBuilder builder(before);
  auto weight = WeightOp::create(
      builder, before.getLoc(), builder.getStringAttr(name), TypeAttr::get(type), sources,
      CombineAttr::get(builder.getContext(), combine), transforms, IntegerAttr(), IntegerAttr());
  if (parts)
    weight->setAttr(kPartsAttr, parts);
  // Renames the weight where the name is taken.
  symbols.insert(weight, Block::iterator(before));
  return weight;
}

void WeightTable::eraseReplaced() {
  std::optional<SymbolTable::UseRange> uses = SymbolTable::getSymbolUses(&module.getBodyRegion());
  if (!uses)
    return;
  llvm::DenseSet<Attribute> used;
  for (const SymbolTable::SymbolUse &use : *uses)
    used.insert(use.getSymbolRef().getRootReference());
  for (StringAttr name : replaced)
    if (auto weight = symbols.lookup<WeightOp>(name); weight && !used.contains(name))
      symbols.erase(weight);
  replaced.clear();
}
