//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Verifiers of the ops that stand in the module's body.

#include "rlx/IR/RLXOps.h"

#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace rlx;

static LogicalResult verifyBlocks(WeightOp weight, StringRef name, RankedTensorType type) {
  auto quant = dyn_cast<QuantType>(type.getElementType());
  if (quant && (type.getRank() == 0 || type.getShape().back() % quant.getBlock()))
    return weight.emitOpError("expected rows of ")
           << name << " to be a multiple of " << quant.getBlock() << " elements for "
           << quant.getFormat() << " but got " << type;
  return success();
}

// weight_c1: sources; weight_c2: their number; weight_c3: their shapes; weight_c9: blocks.
static LogicalResult verifySources(WeightOp weight) {
  ArrayAttr sources = weight.getSources();
  if (sources.empty())
    return weight.emitOpError("expected at least one source");
  for (Attribute source : sources)
    if (!isa<SourceAttr>(source))
      return weight.emitOpError("expected a source to be #rlx.source but got ") << source;
  bool single = weight.getCombine() == Combine::None;
  if (single != (sources.size() == 1))
    return weight.emitOpError("expected ")
           << (single ? "exactly one source without" : "two or more sources with")
           << " 'combine' but got " << sources.size();
  RankedTensorType first = cast<SourceAttr>(sources[0]).getType();
  bool concat = weight.getCombine() == Combine::Concat;
  for (Attribute source : sources) {
    RankedTensorType type = cast<SourceAttr>(source).getType();
    if (failed(verifyBlocks(weight, "a source", type)))
      return failure();
    if (type.getRank() != first.getRank() ||
        type.getShape().drop_front(concat) != first.getShape().drop_front(concat))
      return weight.emitOpError("expected sources that differ ")
             << (concat ? "in their rows only" : "in no size") << " but got " << first << " and "
             << type;
  }
  return success();
}

bool WeightOp::hasResidualNorms() {
  return llvm::any_of(getTransforms(),
                      [](Attribute transform) { return isa<ResidualNormsAttr>(transform); });
}

// weight_c4: shape; weight_c11: residual norms are for matrices.
static LogicalResult verifyShape(WeightOp weight) {
  SmallVector<int64_t> shape;
  for (Attribute source : weight.getSources()) {
    ArrayRef<int64_t> part = cast<SourceAttr>(source).getType().getShape();
    if (shape.empty())
      shape.assign(part.begin(), part.end());
    else
      shape[0] += part[0];
  }
  if (weight.hasResidualNorms()) {
    if (shape.size() != 2)
      return weight.emitOpError("expected matrices as sources of residual_norms");
    shape[1] = 2;
  }
  RankedTensorType type = weight.getTensorType();
  if (type.getShape() != ArrayRef<int64_t>(shape))
    return weight.emitOpError("expected the shape that its sources give, ")
           << RankedTensorType::get(shape, type.getElementType()) << ", but got " << type;
  return success();
}

// weight_c5: transforms; weight_c6: pack; weight_c7 and weight_c8: element type; weight_c11: what
// follows residual norms.
static LogicalResult verifyTransforms(WeightOp weight) {
  Type element = cast<SourceAttr>(weight.getSources()[0]).getType().getElementType();
  for (Attribute source : weight.getSources())
    if (cast<SourceAttr>(source).getType().getElementType() != element)
      element = {}; // only a transform can give them one
  RankedTensorType type = weight.getTensorType();
  for (auto [i, transform] : llvm::enumerate(weight.getTransforms())) {
    if (isa<AddScalarAttr>(transform)) {
      element = Float32Type::get(weight.getContext());
    } else if (auto convert = dyn_cast<ConvertAttr>(transform)) {
      element = convert.getElementType();
    } else if (isa<ResidualNormsAttr>(transform)) {
      element = Float32Type::get(weight.getContext());
      ArrayRef<Attribute> rest = weight.getTransforms().getValue().drop_front(i + 1);
      if (rest.size() > 1 || (rest.size() == 1 && !isa<PackAttr>(rest.front())))
        return weight.emitOpError("expected at most pack to follow residual_norms");
    } else if (auto pack = dyn_cast<PackAttr>(transform)) {
      if (i + 1 != weight.getTransforms().size())
        return weight.emitOpError("expected pack to be the last transform");
      if (pack.getLayout() == "r16" && type.getRank() != 2)
        return weight.emitOpError("expected a matrix for layout \"r16\" but got ") << type;
    } else {
      return weight.emitOpError("expected a transform to be add_scalar, convert, residual_norms "
                                "or pack but got ")
             << transform;
    }
  }
  if (!element)
    return weight.emitOpError("expected a conversion of sources whose element types differ");
  if (element != type.getElementType())
    return weight.emitOpError("expected element type ")
           << element << " after its transforms but got " << type.getElementType();
  return success();
}

// weight_c9: blocks; weight_c10: place.
LogicalResult WeightOp::verify() {
  if (failed(verifySources(*this)) || failed(verifyShape(*this)) ||
      failed(verifyTransforms(*this)) || failed(verifyBlocks(*this, "the weight", getTensorType())))
    return failure();
  if (getOffset().has_value() != getSize().has_value())
    return emitOpError("expected offset and size together");
  int64_t offset = getOffset().value_or(0), size = getSize().value_or(0);
  constexpr int64_t kLimit = int64_t(1) << 50; // sums of both do not overflow
  if (offset < 0 || offset % 64 || size < 0 || offset > kLimit || size > kLimit)
    return emitOpError("expected an offset that is a multiple of 64 and a size, of at most 2^50, "
                       "but got ")
           << offset << " and " << size;
  return success();
}

// kv_slot_c1: sizes; kv_slot_c2: window.
LogicalResult KVSlotOp::verify() {
  if (getKvHeads() <= 0 || getHeadDim() <= 0 || getHeadDim() % 2)
    return emitOpError("expected positive heads and an even, positive head_dim but got ")
           << getKvHeads() << " and " << getHeadDim();
  if (static_cast<int64_t>(getWindow()) < 0)
    return emitOpError("expected a window of 0 or more but got ")
           << static_cast<int64_t>(getWindow());
  if (getKvType() == KVType::Q8_0 && getHeadDim() % 32)
    return emitOpError("expected a head_dim that is a multiple of 32 with type q8_0 but got ")
           << getHeadDim() << "; use f16 or bf16";
  return success();
}

// variant_c1: SEQ; variant_c2: PAST_SEQ; variant_c3: SEQ of decode.
LogicalResult VariantOp::verify() {
  if (getSeqMin() < 1 || getSeqMax() < getSeqMin())
    return emitOpError("expected a SEQ range with 1 <= min <= max but got [")
           << static_cast<int64_t>(getSeqMin()) << ", " << static_cast<int64_t>(getSeqMax()) << "]";
  if (static_cast<int64_t>(getPastMin()) < 0 || getPastMax() < getPastMin())
    return emitOpError("expected a PAST_SEQ range with 0 <= min <= max but got [")
           << static_cast<int64_t>(getPastMin()) << ", " << static_cast<int64_t>(getPastMax())
           << "]";
  if (getRole() == Role::Decode && getSeqMax() != 1)
    return emitOpError("expected a decode variant to have SEQ 1 but got up to ") << getSeqMax();
  return success();
}

/// The inclusive range of SEQ or PAST_SEQ in `function`: a constant size where
/// the function's type binds SEQ.
static SymbolAttr getRange(FunctionOpInterface function, StringRef symbol) {
  auto name = StringAttr::get(function.getContext(), symbol);
  auto ids = function.getNumArguments() ? dyn_cast<RankedTensorType>(function.getArgumentTypes()[0])
                                        : RankedTensorType();
  if (symbol == RLXDialect::kSeqSymbol && ids && ids.getRank() == 2 && !ids.isDynamicDim(1))
    return SymbolAttr::get(function.getContext(), name, ids.getDimSize(1), ids.getDimSize(1));
  return lookupSymbol(function, name);
}

static LogicalResult verifyRange(VariantOp variant, FunctionOpInterface function, StringRef symbol,
                                 int64_t min, int64_t max) {
  SymbolAttr range = getRange(function, symbol);
  if (!range || (min >= range.getMin() && max <= range.getMax()))
    return success();
  return variant.emitOpError("expected range of ")
         << symbol << " to lie within [" << range.getMin() << ", " << range.getMax() << "] of @"
         << function.getName() << " but got [" << min << ", " << max << "]";
}

// variant_c4: function; variant_c5: its role; variant_c6: its ranges. A function
// that was lowered has neither role nor symbols and is not checked.
LogicalResult VariantOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto function = symbols.lookupNearestSymbolFrom<FunctionOpInterface>(*this, getFunctionAttr());
  if (!function)
    return emitOpError("expected a function named ") << getFunctionAttr();
  auto role = function->getAttrOfType<StringAttr>(RLXDialect::kRoleAttr);
  bool lowered = llvm::none_of(function.getArgumentTypes(), llvm::IsaPred<KVCacheType>);
  if (lowered && !role)
    return success();
  StringRef expected = stringifyRole(getRole());
  if (!role || role.getValue() != expected)
    return emitOpError("expected function ")
           << getFunctionAttr() << " with role \"" << expected << "\" but got "
           << (role ? role : StringAttr::get(getContext(), "none"));
  if (failed(verifyRange(*this, function, RLXDialect::kSeqSymbol, getSeqMin(), getSeqMax())))
    return failure();
  return verifyRange(*this, function, RLXDialect::kPastSymbol, getPastMin(), getPastMax());
}
