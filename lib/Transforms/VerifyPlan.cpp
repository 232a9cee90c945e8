//===- VerifyPlan.cpp - No two live values in one place -------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs a planned function over a model of its workspace.
//
//===----------------------------------------------------------------------===//
#include "ForwardFunctions.h"
#include "MemoryUse.h"
#include "rlx/Conversion/Attributes.h"
#include "rlx/Transforms/Passes.h"

namespace rlx {
#define GEN_PASS_DEF_VERIFYPLAN
#include "rlx/Transforms/Passes.h.inc"
} // namespace rlx

using namespace mlir;
using namespace rlx;

namespace {
struct Range {
  int64_t begin, end;
  bool overlaps(const Range &other) const { return begin < other.end && other.begin < end; }
  bool operator==(const Range &other) const { return begin == other.begin && end == other.end; }
};

class Workspace {
public:
  Workspace(func::FuncOp function, const ScratchBytesFn &scratchBytes)
      : function(function), scratchBytes(scratchBytes) {}

  LogicalResult run() {
    auto size = function->getAttrOfType<IntegerAttr>(kWorkspaceBytesAttr);
    if (!size)
      return function.emitOpError("expected the attribute ") << kWorkspaceBytesAttr;
    bytes = std::min(size.getInt(), kMaxWorkspaceBytes);
    FailureOr<int64_t> tokens = getMaxTokens(function);
    if (failed(tokens))
      return failure();
    maxTokens = *tokens;
    for (Operation &op : function.getBody().front())
      if (failed(step(op)))
        return failure();
    return success();
  }

private:
  LogicalResult step(Operation &op) {
    for (Value operand : op.getOperands())
      if (failed(read(op, getBuffer(operand))))
        return failure();
    FailureOr<std::optional<Range>> scratch = getScratch(op);
    if (failed(scratch) || (*scratch && failed(write(op, **scratch, Value()))))
      return failure();
    for (OpResult result : op.getResults()) {
      if (!occupiesMemory(result) || isOutput(result))
        continue;
      FailureOr<Range> range = getPlace(result);
      if (failed(range) || failed(write(op, *range, result)))
        return failure();
      if (*scratch && range->overlaps(**scratch))
        return op.emitOpError("expected a result apart from the op's scratch memory");
    }
    return success();
  }

  LogicalResult read(Operation &op, Value buffer) {
    auto lost = overwritten.find(buffer);
    if (lost == overwritten.end())
      return success();
    InFlightDiagnostic error = op.emitOpError("reads memory that was written over");
    error.attachNote(buffer.getLoc()) << "the value was made here";
    error.attachNote(lost->second->getLoc()) << "and written over here";
    return error;
  }

  /// Takes `range` for `value` (null: scratch memory) from those that have it.
  LogicalResult write(Operation &op, Range range, Value value) {
    for (OpOperand &operand : op.getOpOperands()) {
      auto held = live.find(getBuffer(operand.get()));
      if (held != live.end() && held->second.overlaps(range) &&
          !(value && canReuse(operand) && held->second == range))
        return op.emitOpError("writes over its operand ") << operand.getOperandNumber();
    }
    Counters counters = getCounters(function);
    Range held = {counters.offset, counters.offset + counters.count * kWorkspaceAlignment};
    if (held.overlaps(range))
      return op.emitOpError("writes over the counters of kernels");
    live.remove_if([&](const std::pair<Value, Range> &entry) {
      bool clash = entry.second.overlaps(range);
      if (clash)
        overwritten[entry.first] = &op;
      return clash;
    });
    if (value)
      live[value] = range;
    return success();
  }

  FailureOr<Range> getPlace(OpResult result) {
    Operation *op = result.getOwner();
    auto offsets = op->getAttrOfType<DenseI64ArrayAttr>(kOffsetsAttr);
    if (!offsets || offsets.size() != op->getNumResults() || offsets[result.getResultNumber()] < 0)
      return op->emitOpError("expected the attribute ")
             << kOffsetsAttr << " to place result " << result.getResultNumber();
    FailureOr<int64_t> size = getMaxBytes(result);
    if (failed(size))
      return failure();
    return makeRange(op, offsets[result.getResultNumber()], *size);
  }

  FailureOr<Range> makeRange(Operation *op, int64_t offset, int64_t size) {
    if (isPlace(offset, size, bytes))
      return Range{offset, offset + size};
    return op->emitOpError("expected memory for ")
           << size << " bytes on a multiple of " << kWorkspaceAlignment << " within " << bytes
           << " bytes but got the offset " << offset;
  }

  FailureOr<std::optional<Range>> getScratch(Operation &op) {
    int64_t size = scratchBytes ? scratchBytes(&op, maxTokens) : 0;
    if (size == 0)
      return std::optional<Range>();
    auto offset = op.getAttrOfType<IntegerAttr>(kScratchAttr);
    if (!offset || offset.getInt() < 0)
      return op.emitOpError("expected the attribute ")
             << kScratchAttr << " to place " << size << " bytes";
    FailureOr<Range> range = makeRange(&op, offset.getInt(), size);
    if (failed(range))
      return failure();
    return std::optional<Range>(*range);
  }

  func::FuncOp function;
  const ScratchBytesFn &scratchBytes;
  int64_t bytes = 0, maxTokens = 0;
  llvm::MapVector<Value, Range> live;
  llvm::DenseMap<Value, Operation *> overwritten;
};

struct VerifyPlan : rlx::impl::VerifyPlanBase<VerifyPlan> {
  VerifyPlan() = default;
  explicit VerifyPlan(ScratchBytesFn scratchBytes) : scratchBytes(std::move(scratchBytes)) {}

  void runOnOperation() override {
    FailureOr<SmallVector<func::FuncOp>> functions = getFunctions(getOperation());
    if (failed(functions))
      return signalPassFailure();
    for (func::FuncOp function : *functions)
      if (failed(Workspace(function, scratchBytes).run()))
        signalPassFailure();
    markAllAnalysesPreserved();
  }

private:
  ScratchBytesFn scratchBytes;
};
} // namespace

std::unique_ptr<Pass> rlx::createVerifyPlan(ScratchBytesFn scratchBytes) {
  return std::make_unique<VerifyPlan>(std::move(scratchBytes));
}
