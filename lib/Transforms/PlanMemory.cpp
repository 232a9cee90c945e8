//===- PlanMemory.cpp - One workspace for all results ---------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Liveness-based placement of intermediate results and scratch memory.
//
//===----------------------------------------------------------------------===//
#include "ForwardFunctions.h"
#include "MemoryUse.h"
#include "rlx/Conversion/Attributes.h"
#include "rlx/Transforms/Passes.h"

namespace rlx {
#define GEN_PASS_DEF_PLANMEMORY
#include "rlx/Transforms/Passes.h.inc"
} // namespace rlx

using namespace mlir;
using namespace rlx;

namespace {
/// Memory that one value after the other, or one op's scratch, occupies. `first`
/// and `last` are positions of ops in the function, both included.
struct Block {
  int64_t bytes, first, last, offset = 0;
};

class FunctionPlan {
public:
  FunctionPlan(func::FuncOp function, const ScratchBytesFn &scratchBytes)
      : function(function), scratchBytes(scratchBytes) {}

  LogicalResult run() {
    FailureOr<int64_t> maxTokens = getMaxTokens(function);
    if (failed(maxTokens))
      return failure();
    numberOps();
    for (Operation &op : function.getBody().front())
      if (failed(addResults(op)) || failed(addScratch(op, *maxTokens)))
        return failure();
    addCounters();
    int64_t total = place();
    if (total > kMaxWorkspaceBytes)
      return function.emitError("expected a workspace of at most 2^44 bytes but got ") << total;
    annotate(total);
    return success();
  }

private:
  void numberOps() {
    int64_t next = 0;
    for (Operation &op : function.getBody().front()) {
      position[&op] = next++;
      for (Value operand : op.getOperands())
        lastUse[getBuffer(operand)] = position[&op];
    }
  }

  LogicalResult addResults(Operation &op) {
    for (OpResult result : op.getResults()) {
      if (!occupiesMemory(result) || isOutput(result))
        continue;
      FailureOr<int64_t> bytes = getMaxBytes(result);
      if (failed(bytes))
        return failure();
      if (*bytes > kMaxWorkspaceBytes)
        return op.emitOpError("expected results of at most 2^44 bytes but got ") << *bytes;
      // A result that nothing reads is still written.
      int64_t here = position[&op];
      auto used = lastUse.find(result);
      int64_t last = used == lastUse.end() ? here : used->second;
      if (std::optional<unsigned> reused = findReusable(op, *bytes)) {
        blocks[*reused].last = last;
        blockOf[result] = *reused;
        continue;
      }
      blockOf[result] = blocks.size();
      blocks.push_back({*bytes, here, last});
    }
    return success();
  }

  /// The block of an operand that dies at `op`, which may be written over.
  std::optional<unsigned> findReusable(Operation &op, int64_t bytes) {
    if (op.getNumResults() != 1)
      return std::nullopt;
    for (OpOperand &operand : op.getOpOperands()) {
      if (!isa<RankedTensorType>(operand.get().getType()) || !canReuse(operand))
        continue;
      Value buffer = getBuffer(operand.get());
      auto block = blockOf.find(buffer);
      if (block == blockOf.end() || lastUse[buffer] != position[&op])
        continue;
      // The operand must be the whole buffer: the rows of a piece lie apart.
      if (blocks[block->second].bytes == bytes && getElements(buffer) == getElements(operand.get()))
        return block->second;
    }
    return std::nullopt;
  }

  std::optional<int64_t> getElements(Value value) {
    return getMaxElements(function, cast<RankedTensorType>(value.getType()));
  }

  LogicalResult addScratch(Operation &op, int64_t maxTokens) {
    int64_t bytes = scratchBytes ? scratchBytes(&op, maxTokens) : 0;
    if (bytes < 0 || bytes > kMaxWorkspaceBytes)
      return op.emitOpError("expected scratch of 0 to 2^44 bytes but got ") << bytes;
    if (bytes == 0)
      return success();
    scratchOf[&op] = blocks.size();
    blocks.push_back({bytes, position[&op], position[&op]});
    return success();
  }

  /// They are set to 0 by the step's first stage, so that nothing may share their place.
  void addCounters() {
    for (Operation &op : function.getBody().front())
      counters += countClaims(&op);
    if (counters > 0)
      blocks.push_back({counters * kWorkspaceAlignment, 0, int64_t(position.size())});
  }

  /// Gives every block its offset and returns the size of the workspace.
  int64_t place() {
    SmallVector<unsigned> order = llvm::to_vector(llvm::seq<unsigned>(0, blocks.size()));
    llvm::sort(order, [&](unsigned a, unsigned b) {
      return std::pair(-blocks[a].bytes, a) < std::pair(-blocks[b].bytes, b);
    });
    SmallVector<Block *> placed; // by offset
    int64_t total = 0;
    for (unsigned index : order) {
      Block &block = blocks[index];
      for (const Block *other : placed) {
        bool together = other->first <= block.last && block.first <= other->last;
        if (!together || other->offset + other->bytes <= block.offset)
          continue;
        if (other->offset >= block.offset + block.bytes)
          break;
        block.offset = llvm::alignTo(other->offset + other->bytes, kWorkspaceAlignment);
      }
      auto *where = llvm::upper_bound(
          placed, &block, [](const Block *a, const Block *b) { return a->offset < b->offset; });
      placed.insert(where, &block);
      total = std::max(total, block.offset + block.bytes);
    }
    return llvm::alignTo(total, kWorkspaceAlignment);
  }

  void annotate(int64_t total) {
    Builder builder(function.getContext());
    for (Operation &op : function.getBody().front()) {
      SmallVector<int64_t> offsets;
      for (OpResult result : op.getResults()) {
        auto block = blockOf.find(result);
        offsets.push_back(block == blockOf.end() ? -1 : blocks[block->second].offset);
      }
      if (llvm::any_of(op.getResultTypes(), [](Type t) { return isa<RankedTensorType>(t); }))
        op.setAttr(kOffsetsAttr, builder.getDenseI64ArrayAttr(offsets));
      if (auto scratch = scratchOf.find(&op); scratch != scratchOf.end())
        op.setAttr(kScratchAttr, builder.getI64IntegerAttr(blocks[scratch->second].offset));
    }
    if (counters > 0)
      function->setAttr(kCountersAttr,
                        builder.getDenseI64ArrayAttr({blocks.back().offset, counters}));
    function->setAttr(kWorkspaceBytesAttr, builder.getI64IntegerAttr(total));
  }

  func::FuncOp function;
  const ScratchBytesFn &scratchBytes;
  llvm::DenseMap<Operation *, int64_t> position;
  llvm::DenseMap<Value, int64_t> lastUse;
  SmallVector<Block> blocks;
  llvm::DenseMap<Value, unsigned> blockOf;
  llvm::DenseMap<Operation *, unsigned> scratchOf;
  int64_t counters = 0; ///< their block is the last one
};

struct PlanMemory : rlx::impl::PlanMemoryBase<PlanMemory> {
  PlanMemory() = default;
  explicit PlanMemory(ScratchBytesFn scratchBytes) : scratchBytes(std::move(scratchBytes)) {}

  void runOnOperation() override {
    FailureOr<SmallVector<func::FuncOp>> functions = getFunctions(getOperation());
    if (failed(functions))
      return signalPassFailure();
    for (func::FuncOp function : *functions)
      if (failed(FunctionPlan(function, scratchBytes).run()))
        return signalPassFailure();
  }

private:
  ScratchBytesFn scratchBytes;
};
} // namespace

std::unique_ptr<Pass> rlx::createPlanMemory(ScratchBytesFn scratchBytes) {
  return std::make_unique<PlanMemory>(std::move(scratchBytes));
}
