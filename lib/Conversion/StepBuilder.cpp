//===- StepBuilder.cpp - Builds the body of a step function ---------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The parts of the conversion that all ops share: views, calls and barriers.
//
//===----------------------------------------------------------------------===//
#include "StepBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "rlx/Conversion/Attributes.h"
#include "rlx/Conversion/Weights.h"
#include "rlx/runtime/abi.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace rlx;

int64_t rlx::getColumns(Value tensor) {
  int64_t columns = 1;
  for (int64_t size : cast<RankedTensorType>(tensor.getType()).getShape().drop_front(2))
    columns *= size;
  return columns;
}

StepBuilder::StepBuilder(func::FuncOp source, func::FuncOp entry, KernelLibrary &kernels)
    : source(source), entry(entry), kernels(kernels), builder(entry.getContext()),
      loc(source.getLoc()) {}

/// Whether `symbol` can only be 1 in `function`.
static bool isAlwaysOne(func::FuncOp function, StringRef symbol) {
  SymbolAttr range = lookupSymbol(function, StringAttr::get(function.getContext(), symbol));
  return range && range.getMin() == 1 && range.getMax() == 1;
}

LogicalResult StepBuilder::build() {
  auto ids = source.getNumArguments() == 3
                 ? dyn_cast<RankedTensorType>(source.getArgumentTypes().front())
                 : RankedTensorType();
  if (!ids || source.getNumResults() != 3 || !isa<RankedTensorType>(source.getResultTypes()[0]))
    return source.emitOpError("expected a forward function (ids, cache, begin) -> (logits, "
                              "hidden, cache)");
  std::optional<int64_t> rows = getMaxElements(source, ids);
  auto out = cast<RankedTensorType>(source.getResultTypes()[0]);
  std::optional<int64_t> outElements = getMaxElements(source, out);
  if (!rows || !outElements)
    return source.emitOpError("expected every symbol to be declared");
  maxRows = *rows;
  maxOutRows = *outElements / out.getShape().back();

  Block *block = entry.addEntryBlock();
  builder.setInsertionPointToStart(block);
  step = StepArguments::load(builder, loc, block->getArgument(0), block->getArgument(1),
                             block->getArgument(2), isAlwaysOne(source, "BATCH"),
                             ids.getDimSize(1) == 1 || isAlwaysOne(source, "SEQ"));
  Operation *terminator = source.getBody().front().getTerminator();
  outputs[terminator->getOperand(0)] = Region::Space::Logits;
  outputs[terminator->getOperand(1)] = Region::Space::Hidden;
  if (failed(clearCounters()))
    return failure();
  for (Operation &op : source.getBody().front())
    if (failed(convertOp(&op)))
      return failure();
  return success();
}

LogicalResult StepBuilder::convertOp(Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<EmbeddingOp, RmsNormOp, LinearOp, RopeAnglesOp, RopeOp, KVAppendOp, RopeAppendOp,
            AttentionOp, CachedAttentionOp, SelectRowsOp, SplitOp, SplitHeadsOp, MergeHeadsOp>(
          [&](auto typed) { return convert(typed); })
      .Case([&](AddOp) { return convertElementwise(op, ElementwiseKind::Add); })
      .Case([&](MulOp) { return convertElementwise(op, ElementwiseKind::Mul); })
      .Case([&](GegluOp) { return convertElementwise(op, ElementwiseKind::GeGlu); })
      .Case([&](GeluOp) { return convertElementwise(op, ElementwiseKind::Gelu); })
      .Case([&](ScaleOp scale) {
        return convertElementwise(op, ElementwiseKind::Scale, scale.getFactor().convertToFloat());
      })
      .Case([&](SoftcapOp cap) {
        return convertElementwise(op, ElementwiseKind::SoftCap, cap.getCap().convertToFloat());
      })
      // Kernels take positions from the sequences and read the cache in place.
      .Case<PositionsOp, KVReadOp>([](auto) { return success(); })
      .Case([&](func::ReturnOp ret) { return convertReturn(ret); })
      .Default([](Operation *other) {
        return other->emitOpError("expected an op of the RLX dialect with a kernel");
      });
}

LogicalResult StepBuilder::convertReturn(func::ReturnOp op) {
  for (Value value : op.getOperands().take_front(2)) {
    FailureOr<View> from = getView(op, value);
    if (failed(from))
      return failure();
    Region::Space space = outputs.lookup(value);
    if (from->region.space == space)
      continue;
    // A view, of which only the buffer was made.
    Value base = space == Region::Space::Logits ? step.logits : step.hidden;
    ElementwiseSpec spec;
    spec.columns = getColumns(value);
    spec.aStride = from->getStride();
    View to = makeView(space, base, 0, spec.columns, *from);
    StageWork work;
    work.verb = "copy";
    if (failed(call(op, kernels.getElementwise(spec), {from->pointer, to.pointer, to.rows},
                    {{from->region}, {}, {to.region}}, work)))
      return failure();
  }
  func::ReturnOp::create(builder, loc);
  return success();
}

LogicalResult StepBuilder::clearCounters() {
  counters = getCounters(source);
  if (counters.count == 0)
    return success();
  int64_t begin = counters.offset, bytes = counters.count * RLX_ALIGNMENT;
  if (failed(checkPlace(source, begin, bytes)))
    return failure();
  rlx::Region region = {rlx::Region::Space::Workspace, begin, begin + bytes, bytes, 0, bytes};
  tracker.add({}, {region});
  Value isFirst =
      arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, step.thread, getIndex(0));
  auto clear = scf::IfOp::create(builder, loc, isFirst, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(clear.thenBlock());
  Value zero = LLVM::ConstantOp::create(builder, loc, builder.getI64Type(), 0);
  for (int64_t i = 0; i < counters.count; ++i)
    LLVM::StoreOp::create(builder, loc, zero,
                          offsetPointer(builder, loc, step.workspace, begin + i * RLX_ALIGNMENT));
  return success();
}

FailureOr<std::pair<Value, rlx::Region>> StepBuilder::takeCounter(Operation *op) {
  if (countersTaken == counters.count) {
    op->emitOpError("expected the attribute ")
        << kCountersAttr << " of its function to hold a counter for it; run memory planning before";
    return failure();
  }
  int64_t begin = counters.offset + countersTaken++ * RLX_ALIGNMENT;
  rlx::Region region = {
      rlx::Region::Space::Workspace, begin, begin + RLX_ALIGNMENT, RLX_ALIGNMENT, 0, RLX_ALIGNMENT};
  return std::make_pair(offsetPointer(builder, loc, step.workspace, begin), region);
}

FailureOr<View> StepBuilder::getView(Operation *user, Value value) {
  auto found = views.find(value);
  if (found != views.end())
    return found->second;
  user->emitOpError("expected its operands to be computed in the function but got ") << value;
  return failure();
}

View StepBuilder::getStepRows() {
  View view;
  view.rows = step.rows;
  view.maxRows = maxRows;
  return view;
}

View StepBuilder::makeView(Region::Space space, Value base, int64_t offset, int64_t columns,
                           const View &rowsLike) {
  View view = rowsLike;
  int64_t rowBytes = columns * static_cast<int64_t>(sizeof(float));
  view.pointer = offsetPointer(builder, loc, base, offset);
  view.region = {space, offset, offset + view.maxRows * rowBytes, rowBytes, 0, rowBytes};
  return view;
}

LogicalResult StepBuilder::checkPlace(Operation *op, int64_t offset, int64_t bytes) {
  int64_t workspace = source->getAttrOfType<IntegerAttr>(kWorkspaceBytesAttr).getInt();
  if (isPlace(offset, bytes, workspace))
    return success();
  return op->emitOpError("expected a place for ")
         << bytes << " bytes at a multiple of " << RLX_ALIGNMENT << " within the workspace of "
         << workspace << " bytes but got the offset " << offset;
}

FailureOr<View> StepBuilder::makeResult(OpResult result, const View &rowsLike) {
  Operation *op = result.getOwner();
  View view;
  if (auto output = outputs.find(result); output != outputs.end()) {
    Value base = output->second == Region::Space::Logits ? step.logits : step.hidden;
    view = makeView(output->second, base, 0, getColumns(result), rowsLike);
  } else {
    auto offsets = op->getAttrOfType<DenseI64ArrayAttr>(kOffsetsAttr);
    if (!offsets || offsets.size() != op->getNumResults() ||
        offsets[result.getResultNumber()] < 0) {
      op->emitOpError("expected the attribute ")
          << kOffsetsAttr << " to place result " << result.getResultNumber()
          << " in the workspace; run memory planning before";
      return failure();
    }
    int64_t offset = offsets[result.getResultNumber()];
    int64_t columns = getColumns(result);
    if (failed(checkPlace(op, offset, rowsLike.maxRows * columns * int64_t(sizeof(float)))))
      return failure();
    view = makeView(Region::Space::Workspace, step.workspace, offset, columns, rowsLike);
  }
  views[result] = view;
  return view;
}

FailureOr<Value> StepBuilder::getWeight(Operation *user, FlatSymbolRefAttr name) {
  FailureOr<WeightOp> weight = lookupWeight(user, name);
  if (failed(weight))
    return failure();
  if (!weight->getOffset()) {
    weight->emitOpError("expected a weight that has its place; run rlx-assign-weight-layout "
                        "before");
    return failure();
  }
  return offsetPointer(builder, loc, step.weights, *weight->getOffset());
}

FailureOr<std::pair<KVSlotOp, int64_t>> StepBuilder::getSlot(Operation *user,
                                                             FlatSymbolRefAttr name) {
  int64_t index = 0;
  for (auto slot : source->getParentOfType<ModuleOp>().getOps<KVSlotOp>()) {
    if (slot.getSymNameAttr() == name.getAttr())
      return std::make_pair(slot, index);
    ++index;
  }
  user->emitOpError("expected ") << name << " to be an rlx.kv_slot";
  return failure();
}

Value StepBuilder::getIndex(int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

void StepBuilder::beginStage(Operation *op, ArrayRef<Value> operands, StageWork work) {
  work.outRows =
      llvm::is_contained(operands, step.outRows) || llvm::is_contained(operands, step.outCount);
  Value index = LLVM::ConstantOp::create(builder, loc, builder.getI32Type(),
                                         builder.getI32IntegerAttr(stages.add(op, work)));
  func::CallOp::create(builder, loc, getBeginStage(entry->getParentOfType<ModuleOp>()),
                       ValueRange{entry.getArgument(0), index, entry.getArgument(1)});
}

LogicalResult StepBuilder::call(Operation *op, func::FuncOp kernel, ArrayRef<Value> operands,
                                const Accesses &accesses, StageWork work) {
  for (const Region &write : accesses.writes) {
    auto clashes = [&](const Region &read) { return read.overlaps(write); };
    auto clashesPartly = [&](const Region &read) {
      return read.overlaps(write) && !read.isSameView(write);
    };
    if (llvm::any_of(accesses.reads, clashes) || llvm::any_of(accesses.inPlace, clashesPartly))
      return op->emitOpError("expected the memory plan to keep its result apart from what it "
                             "still reads");
  }
  SmallVector<Region> reads = accesses.reads;
  reads.append(accesses.inPlace);
  if (tracker.add(reads, accesses.writes)) {
    auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(builder.getContext()),
                                            {step.barrierContext.getType()});
    LLVM::CallOp::create(builder, loc, type, ValueRange{step.barrier, step.barrierContext});
  }
  beginStage(op, operands, std::move(work));
  SmallVector<Value> all(operands);
  all.append({step.thread, step.threads});
  func::CallOp::create(builder, op->getLoc(), kernel, all);
  return success();
}
