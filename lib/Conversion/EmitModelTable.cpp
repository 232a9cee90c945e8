//===- EmitModelTable.cpp - The static data of a code object --------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Writes the structs of rlx/runtime/abi.h as LLVM globals. Each struct is built
// field by field in the order of the header.
//
//===----------------------------------------------------------------------===//
#include "Stages.h"
#include "rlx/Conversion/Attributes.h"
#include "rlx/Conversion/Passes.h"
#include "rlx/Conversion/Weights.h"
#include "rlx/runtime/abi.h"

namespace rlx {
#define GEN_PASS_DEF_EMITMODELTABLE
#include "rlx/Conversion/Passes.h.inc"
} // namespace rlx

using namespace mlir;
using namespace rlx;

namespace {
/// Appends globals to a module.
class TableBuilder {
public:
  explicit TableBuilder(ModuleOp module)
      : module(module), builder(OpBuilder::atBlockEnd(module.getBody())), loc(module.getLoc()),
        i32(builder.getI32Type()), i64(builder.getI64Type()),
        pointer(LLVM::LLVMPointerType::get(builder.getContext())) {}

  void build(StringRef target, int64_t vocabSize, int64_t hiddenSize, int64_t maxContext,
             int64_t weightsBytes);

private:
  using Fields = SmallVector<Value>;

  /// A constant global named `name` whose value `initialize` builds.
  LLVM::GlobalOp makeGlobal(StringRef name, Type type, function_ref<Value()> initialize);
  /// A table of `count` structs; `fields` gives those of entry i. Null where it is empty.
  Value makeTable(StringRef name, ArrayRef<Type> types, size_t count,
                  function_ref<Fields(size_t)> fields);
  LLVM::GlobalOp makeArray(StringRef name, ArrayRef<Type> types, size_t count,
                           function_ref<Fields(size_t)> fields);
  Value makeStruct(Type type, ArrayRef<Value> fields);
  Value constant(Type type, int64_t value) {
    return LLVM::ConstantOp::create(builder, loc, type, builder.getIntegerAttr(type, value));
  }
  Value addressOf(LLVM::GlobalOp global) { return LLVM::AddressOfOp::create(builder, loc, global); }
  /// The address of a zero-terminated string.
  Value text(StringRef value);
  Fields slotFields(KVSlotOp slot);
  Fields variantFields(VariantOp variant);
  Fields weightFields(WeightOp weight);
  Fields stageFields(const StageEntry &stage);
  Fields probeFields(DictionaryAttr probe);
  /// The table of these stages; variants with the same stages share one.
  Value stageTable(ArrayAttr stages);
  void makeQuery(LLVM::GlobalOp table);

  ModuleOp module;
  OpBuilder builder;
  Location loc;
  Type i32, i64, pointer;
  llvm::StringMap<LLVM::GlobalOp> texts;
  llvm::DenseMap<ArrayAttr, LLVM::GlobalOp> stageTables;
};
} // namespace

LLVM::GlobalOp TableBuilder::makeGlobal(StringRef name, Type type,
                                        function_ref<Value()> initialize) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(module.getBody());
  auto global = LLVM::GlobalOp::create(builder, loc, type, /*isConstant=*/true,
                                       LLVM::Linkage::Internal, name, Attribute());
  builder.createBlock(&global.getInitializerRegion());
  LLVM::ReturnOp::create(builder, loc, initialize());
  return global;
}

Value TableBuilder::makeStruct(Type type, ArrayRef<Value> fields) {
  Value result = LLVM::UndefOp::create(builder, loc, type);
  for (auto [i, field] : llvm::enumerate(fields))
    result = LLVM::InsertValueOp::create(builder, loc, result, field, i);
  return result;
}

Value TableBuilder::makeTable(StringRef name, ArrayRef<Type> types, size_t count,
                              function_ref<Fields(size_t)> fields) {
  if (count == 0)
    return LLVM::ZeroOp::create(builder, loc, pointer);
  return addressOf(makeArray(name, types, count, fields));
}

LLVM::GlobalOp TableBuilder::makeArray(StringRef name, ArrayRef<Type> types, size_t count,
                                       function_ref<Fields(size_t)> fields) {
  Type entry = LLVM::LLVMStructType::getLiteral(builder.getContext(), types);
  Type type = LLVM::LLVMArrayType::get(entry, count);
  return makeGlobal(name, type, [&] {
    Value array = LLVM::UndefOp::create(builder, loc, type);
    for (size_t i = 0; i < count; ++i)
      array = LLVM::InsertValueOp::create(builder, loc, array, makeStruct(entry, fields(i)),
                                          int64_t(i));
    return array;
  });
}

Value TableBuilder::text(StringRef value) {
  LLVM::GlobalOp &global = texts[value];
  if (!global) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(module.getBody());
    std::string terminated = value.str() + '\0';
    Type type = LLVM::LLVMArrayType::get(builder.getI8Type(), terminated.size());
    global = LLVM::GlobalOp::create(
        builder, loc, type, /*isConstant=*/true, LLVM::Linkage::Internal,
        "rlx_text_" + std::to_string(texts.size()), builder.getStringAttr(terminated));
  }
  return addressOf(global);
}

TableBuilder::Fields TableBuilder::slotFields(KVSlotOp slot) {
  return {constant(i32, slot.getKvHeads()), constant(i32, slot.getHeadDim()),
          constant(i32, static_cast<int64_t>(slot.getKvType())), constant(i32, slot.getWindow())};
}

TableBuilder::Fields TableBuilder::variantFields(VariantOp variant) {
  auto number = [&](StringRef attribute) {
    return cast<IntegerAttr>(variant->getAttr(attribute)).getInt();
  };
  auto function = module.lookupSymbol<LLVM::LLVMFuncOp>(variant.getFunction());
  auto stages = variant->getAttrOfType<ArrayAttr>(kStagesAttr);
  return {text(variant.getSymName()),
          constant(i32, static_cast<int64_t>(variant.getRole())),
          constant(i32, number(kBatchMaxAttr)),
          constant(i64, variant.getSeqMin()),
          constant(i64, variant.getSeqMax()),
          constant(i64, variant.getPastMin()),
          constant(i64, variant.getPastMax()),
          constant(i64, number(kOutMaxAttr)),
          constant(i64, number(kWorkspaceBytesAttr)),
          LLVM::AddressOfOp::create(builder, loc, function),
          stageTable(stages),
          constant(i64, stages.size())};
}

TableBuilder::Fields TableBuilder::stageFields(const StageEntry &stage) {
  return {text(stage.name),
          text(stage.kind),
          constant(i32, stage.layer.value_or(-1)),
          constant(i32, stage.work.ofTop     ? RLX_ROWS_TOP
                        : stage.work.outRows ? RLX_ROWS_OUT
                                             : RLX_ROWS_STEP),
          constant(i32, stage.work.kvSlot.value_or(-1)),
          constant(i32, stage.work.probe.value_or(-1)),
          constant(i64, stage.work.weightBytes),
          constant(i64, stage.work.rowBytes),
          constant(i64, stage.work.rowOperations),
          constant(i64, stage.work.keyOperations)};
}

TableBuilder::Fields TableBuilder::probeFields(DictionaryAttr probe) {
  auto function = probe.getAs<FlatSymbolRefAttr>("function");
  return {text(probe.getAs<StringAttr>("name").getValue()),
          constant(i64, probe.getAs<IntegerAttr>("operations").getInt()),
          LLVM::AddressOfOp::create(builder, loc, pointer, function)};
}

Value TableBuilder::stageTable(ArrayAttr stages) {
  if (stages.empty())
    return LLVM::ZeroOp::create(builder, loc, pointer);
  LLVM::GlobalOp &table = stageTables[stages];
  if (!table)
    table = makeArray("rlx_stages_" + std::to_string(stageTables.size() - 1),
                      {pointer, pointer, i32, i32, i32, i32, i64, i64, i64, i64}, stages.size(),
                      [&](size_t i) { return stageFields(*readStage(stages[i])); });
  return addressOf(table);
}

TableBuilder::Fields TableBuilder::weightFields(WeightOp weight) {
  return {text(weight.getSymName()), text(weightFormatName(*getWeightFormat(weight))),
          text(getWeightLayout(weight)), constant(i64, *weight.getOffset()),
          constant(i64, *weight.getSize())};
}

void TableBuilder::makeQuery(LLVM::GlobalOp table) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(module.getBody());
  auto query = LLVM::LLVMFuncOp::create(builder, loc, RLX_QUERY_SYMBOL,
                                        LLVM::LLVMFunctionType::get(pointer, {i32}));
  Block *block = query.addEntryBlock(builder);
  builder.setInsertionPointToStart(block);
  Value match = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::eq, block->getArgument(0),
                                     constant(i32, RLX_ABI_VERSION));
  Value null = LLVM::ZeroOp::create(builder, loc, pointer);
  Value result = LLVM::SelectOp::create(builder, loc, match, addressOf(table), null);
  LLVM::ReturnOp::create(builder, loc, result);
}

void TableBuilder::build(StringRef target, int64_t vocabSize, int64_t hiddenSize,
                         int64_t maxContext, int64_t weightsBytes) {
  auto slots = llvm::to_vector(module.getOps<KVSlotOp>());
  auto variants = llvm::to_vector(module.getOps<VariantOp>());
  auto weights = llvm::to_vector(module.getOps<WeightOp>());
  auto probes = module->getAttrOfType<ArrayAttr>(kProbesAttr);
  Type hash = LLVM::LLVMArrayType::get(builder.getI8Type(), sizeof(rlx_model_t::weights_hash));
  Type type = LLVM::LLVMStructType::getLiteral(builder.getContext(),
                                               {i32, i32, pointer, i64, i64, i64, i64, hash, i32,
                                                i32, i32, i32, pointer, pointer, pointer, pointer});
  LLVM::GlobalOp table = makeGlobal(kModelTableSymbol, type, [&] {
    return makeStruct(
        type, {constant(i32, RLX_ABI_VERSION), constant(i32, sizeof(rlx_model_t)), text(target),
               constant(i64, vocabSize), constant(i64, hiddenSize), constant(i64, maxContext),
               constant(i64, weightsBytes), LLVM::ZeroOp::create(builder, loc, hash),
               constant(i32, slots.size()), constant(i32, variants.size()),
               constant(i32, weights.size()), constant(i32, probes.size()),
               makeTable("rlx_kv_slots", {i32, i32, i32, i32}, slots.size(),
                         [&](size_t i) { return slotFields(slots[i]); }),
               makeTable("rlx_variants",
                         {pointer, i32, i32, i64, i64, i64, i64, i64, i64, pointer, pointer, i64},
                         variants.size(), [&](size_t i) { return variantFields(variants[i]); }),
               makeTable("rlx_weights", {pointer, pointer, pointer, i64, i64}, weights.size(),
                         [&](size_t i) { return weightFields(weights[i]); }),
               makeTable("rlx_probes", {pointer, i64, pointer}, probes.size(),
                         [&](size_t i) { return probeFields(cast<DictionaryAttr>(probes[i])); })});
  });
  makeQuery(table);
}

namespace {
struct EmitModelTable : rlx::impl::EmitModelTableBase<EmitModelTable> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto target = module->getAttrOfType<StringAttr>(kTargetAttr);
    auto vocabSize = module->getAttrOfType<IntegerAttr>(kVocabSizeAttr);
    auto hiddenSize = module->getAttrOfType<IntegerAttr>(kHiddenSizeAttr);
    auto maxContext = module->getAttrOfType<IntegerAttr>(kMaxContextAttr);
    auto weightsBytes = module->getAttrOfType<IntegerAttr>(kWeightsBytesAttr);
    if (!target || !vocabSize || !hiddenSize || !maxContext || !weightsBytes) {
      module.emitError("expected a module with the attributes ")
          << kTargetAttr << ", " << kVocabSizeAttr << ", " << kHiddenSizeAttr << ", "
          << kMaxContextAttr << " and " << kWeightsBytesAttr;
      return signalPassFailure();
    }
    if (failed(checkOps()))
      return signalPassFailure();
    TableBuilder(module).build(target.getValue(), vocabSize.getInt(), hiddenSize.getInt(),
                               maxContext.getInt(), weightsBytes.getInt());
  }

  LogicalResult checkProbes() {
    ModuleOp module = getOperation();
    auto isSound = [&](Attribute attribute) {
      auto probe = dyn_cast<DictionaryAttr>(attribute);
      auto function = probe ? probe.getAs<FlatSymbolRefAttr>("function") : FlatSymbolRefAttr();
      return function && probe.getAs<StringAttr>("name") &&
             probe.getAs<IntegerAttr>("operations") &&
             module.lookupSymbol<LLVM::LLVMFuncOp>(function.getAttr());
    };
    auto probes = module->getAttrOfType<ArrayAttr>(kProbesAttr);
    if (probes && llvm::all_of(probes, isSound))
      return success();
    return module.emitError("expected the attribute ")
           << kProbesAttr << " to be an array of dictionaries with name, operations and function";
  }

  /// Whether every op carries what earlier passes had to set.
  LogicalResult checkOps() {
    ModuleOp module = getOperation();
    for (auto variant : module.getOps<VariantOp>()) {
      if (!module.lookupSymbol<LLVM::LLVMFuncOp>(variant.getFunction()))
        return variant.emitOpError("expected its function to be an llvm.func");
      for (StringRef name : {kBatchMaxAttr, kOutMaxAttr, kWorkspaceBytesAttr})
        if (!variant->getAttrOfType<IntegerAttr>(name))
          return variant.emitOpError("expected the attribute ") << name;
      auto stages = variant->getAttrOfType<ArrayAttr>(kStagesAttr);
      if (!stages || llvm::any_of(stages, [](Attribute stage) { return failed(readStage(stage)); }))
        return variant.emitOpError("expected the attribute ")
               << kStagesAttr << " to be an array of dictionaries with name and kind";
    }
    if (failed(checkProbes()))
      return failure();
    for (auto weight : module.getOps<WeightOp>())
      if (!weight.getOffset() || getWeightLayout(weight).empty() || failed(getWeightFormat(weight)))
        return weight.emitOpError("expected a weight that has its place; run "
                                  "rlx-assign-weight-layout before");
    return success();
  }
};
} // namespace
