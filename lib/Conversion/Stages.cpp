//===- Stages.cpp - The stage table of a step function --------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Names come from the op and its weight, layers from the weight's name or from the
// operands of ops that have none.
//
//===----------------------------------------------------------------------===//
#include "Stages.h"
#include "StepArguments.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "rlx/IR/RLXOps.h"
#include "rlx/runtime/abi.h"

using namespace mlir;
using namespace rlx;

/// The weight that an op is about: a linear op also names the gain of its norm.
static StringRef getWeightName(Operation *op) {
  auto name = op->getAttrOfType<FlatSymbolRefAttr>("weight");
  return name ? name.getValue() : StringRef();
}

/// Splits "layers.3.q_k_v" into layer and "q_k_v"; other names have no layer.
static std::optional<int64_t> takeLayer(StringRef &name) {
  StringRef rest = name;
  int64_t layer = 0;
  if (!rest.consume_front("layers.") || rest.consumeInteger(10, layer) || !rest.consume_front("."))
    return std::nullopt;
  name = rest;
  return layer;
}

std::optional<int64_t> StageTable::getLayer(Operation *op) {
  if (auto known = layers.find(op); known != layers.end())
    return known->second;
  StringRef name = getWeightName(op);
  std::optional<int64_t> layer = takeLayer(name);
  if (name.empty())
    for (Value operand : op->getOperands())
      if (Operation *producer = operand.getDefiningOp())
        layer = std::max(layer, getLayer(producer)); // nullopt is below any layer
  layers[op] = layer;
  return layer;
}

static std::string getVerb(Operation *op, bool outRows) {
  if (isa<LinearOp>(op))
    return outRows ? "head" : "linear";
  if (isa<CachedAttentionOp>(op))
    return "attention";
  std::string verb = op->getName().stripDialect().str();
  std::replace(verb.begin(), verb.end(), '_', ' ');
  return verb;
}

int64_t StageTable::add(Operation *op, const StageWork &work) {
  StageEntry entry;
  entry.work = work;
  entry.layer = getLayer(op);
  std::string verb = work.verb.empty() ? getVerb(op, work.outRows) : work.verb;
  StringRef part = getWeightName(op);
  takeLayer(part);
  auto append = [](std::string &text, const Twine &word) {
    if (!word.isTriviallyEmpty() && !word.str().empty())
      text += (" " + word).str();
  };
  entry.kind = verb;
  append(entry.kind, work.format);
  entry.name = verb;
  part = part.split('.').first; // without what folding adds
  if (part != verb)
    append(entry.name, part);
  if (entry.layer)
    append(entry.name, "layer " + Twine(*entry.layer));
  append(entry.name, work.format);
  append(entry.name, work.shape);
  entries.push_back(std::move(entry));
  return static_cast<int64_t>(entries.size()) - 1;
}

ArrayAttr StageTable::getAttr(MLIRContext *context) const {
  Builder b(context);
  SmallVector<Attribute> list;
  for (const StageEntry &entry : entries) {
    SmallVector<NamedAttribute> fields;
    auto text = [&](StringRef key, const std::string &value) {
      fields.push_back(b.getNamedAttr(key, b.getStringAttr(value)));
    };
    auto number = [&](StringRef key, int64_t value) {
      fields.push_back(b.getNamedAttr(key, b.getI64IntegerAttr(value)));
    };
    text("name", entry.name);
    text("kind", entry.kind);
    if (entry.layer)
      number("layer", *entry.layer);
    if (entry.work.kvSlot)
      number("kv_slot", *entry.work.kvSlot);
    if (entry.work.probe)
      number("probe", *entry.work.probe);
    if (entry.work.outRows)
      fields.push_back(b.getNamedAttr("out_rows", b.getUnitAttr()));
    if (entry.work.ofTop)
      fields.push_back(b.getNamedAttr("of_top", b.getUnitAttr()));
    for (auto [key, value] : {std::pair("weight_bytes", entry.work.weightBytes),
                              {"row_bytes", entry.work.rowBytes},
                              {"row_operations", entry.work.rowOperations},
                              {"key_operations", entry.work.keyOperations}})
      if (value)
        number(key, value);
    list.push_back(b.getDictionaryAttr(fields));
  }
  return b.getArrayAttr(list);
}

FailureOr<StageEntry> rlx::readStage(Attribute attribute) {
  auto fields = dyn_cast<DictionaryAttr>(attribute);
  auto name = fields ? fields.getAs<StringAttr>("name") : StringAttr();
  auto kind = fields ? fields.getAs<StringAttr>("kind") : StringAttr();
  if (!name || !kind)
    return failure();
  StageEntry entry;
  entry.name = name.str();
  entry.kind = kind.str();
  entry.work.outRows = bool(fields.get("out_rows"));
  entry.work.ofTop = bool(fields.get("of_top"));
  auto number = [&](StringRef key) -> std::optional<int64_t> {
    auto value = fields.getAs<IntegerAttr>(key);
    return value ? std::optional(value.getInt()) : std::nullopt;
  };
  entry.layer = number("layer");
  entry.work.kvSlot = number("kv_slot");
  entry.work.probe = number("probe");
  entry.work.weightBytes = number("weight_bytes").value_or(0);
  entry.work.rowBytes = number("row_bytes").value_or(0);
  entry.work.rowOperations = number("row_operations").value_or(0);
  entry.work.keyOperations = number("key_operations").value_or(0);
  return entry;
}

func::FuncOp rlx::getBeginStage(ModuleOp module) {
  constexpr llvm::StringLiteral name = "rlx_begin_stage";
  if (auto existing = module.lookupSymbol<func::FuncOp>(name))
    return existing;
  OpBuilder b = OpBuilder::atBlockEnd(module.getBody());
  Location loc = module.getLoc();
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  Type i32 = b.getI32Type();
  auto function = func::FuncOp::create(b, loc, name, b.getFunctionType({pointer, i32, i32}, {}));
  function.setPrivate();
  // It stands before each kernel call; inlining would only multiply code.
  function->setAttr("passthrough", b.getStrArrayAttr({"noinline"}));
  Block *block = function.addEntryBlock();
  b.setInsertionPointToStart(block);
  Value args = block->getArgument(0);
  auto load = [&](int64_t offset) -> Value {
    return LLVM::LoadOp::create(b, loc, pointer, offsetPointer(b, loc, args, offset));
  };
  Value hook = load(offsetof(rlx_step_args_t, stage));
  Value null = LLVM::ZeroOp::create(b, loc, pointer);
  Value isSet = LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::ne, hook, null);
  auto branch = scf::IfOp::create(b, loc, isSet, /*withElseRegion=*/false);
  func::ReturnOp::create(b, loc);
  b.setInsertionPointToStart(branch.thenBlock());
  auto type =
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()), {pointer, i32, i32});
  LLVM::CallOp::create(b, loc, type,
                       ValueRange{hook, load(offsetof(rlx_step_args_t, stage_context)),
                                  block->getArgument(1), block->getArgument(2)});
  return function;
}
