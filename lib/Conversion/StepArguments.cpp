//===- StepArguments.cpp - The fields of rlx_step_args_t ------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Field offsets come from the header that the runtime is compiled with.
//
//===----------------------------------------------------------------------===//
#include "StepArguments.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "rlx/runtime/abi.h"

using namespace mlir;
using namespace rlx;

Value rlx::offsetPointer(OpBuilder &builder, Location loc, Value pointer, int64_t offset) {
  if (offset == 0)
    return pointer;
  Value bytes = LLVM::ConstantOp::create(builder, loc, builder.getI64Type(),
                                         builder.getI64IntegerAttr(offset));
  return LLVM::GEPOp::create(builder, loc, pointer.getType(), builder.getI8Type(), pointer,
                             ValueRange{bytes}, LLVM::GEPNoWrapFlags::inbounds);
}

namespace {
/// Loads fields of one struct.
struct FieldLoader {
  OpBuilder &builder;
  Location loc;
  Value args;

  Value load(size_t offset, Type type) {
    return LLVM::LoadOp::create(builder, loc, type, offsetPointer(builder, loc, args, offset));
  }
  Value pointer(size_t offset) {
    return load(offset, LLVM::LLVMPointerType::get(builder.getContext()));
  }
  Value count(size_t offset, unsigned bits = 64) {
    return toIndex(load(offset, builder.getIntegerType(bits)));
  }
  Value toIndex(Value value) {
    return arith::IndexCastUIOp::create(builder, loc, builder.getIndexType(), value);
  }
};
} // namespace

StepArguments StepArguments::load(OpBuilder &builder, Location loc, Value args, Value thread,
                                  Value threads, bool oneSequence, bool onePosition) {
  FieldLoader fields{builder, loc, args};
  StepArguments step;
  auto one = [&] { return arith::ConstantIndexOp::create(builder, loc, 1); };
  step.batch = oneSequence ? one() : fields.count(offsetof(rlx_step_args_t, batch), 32);
  step.seq = onePosition ? one() : fields.count(offsetof(rlx_step_args_t, seq));
  step.outBegin = fields.count(offsetof(rlx_step_args_t, out_begin));
  step.outCount = fields.count(offsetof(rlx_step_args_t, out_count));
  step.top = fields.count(offsetof(rlx_step_args_t, top));
  step.rows = builder.createOrFold<arith::MulIOp>(loc, step.batch, step.seq);
  step.outRows = builder.createOrFold<arith::MulIOp>(loc, step.batch, step.outCount);
  step.sequences = fields.pointer(offsetof(rlx_step_args_t, sequences));
  step.weights = fields.pointer(offsetof(rlx_step_args_t, weights));
  step.workspace = fields.pointer(offsetof(rlx_step_args_t, workspace));
  step.logits = fields.pointer(offsetof(rlx_step_args_t, logits));
  step.hidden = fields.pointer(offsetof(rlx_step_args_t, hidden));
  step.barrier = fields.pointer(offsetof(rlx_step_args_t, barrier));
  step.barrierContext = fields.pointer(offsetof(rlx_step_args_t, barrier_context));
  step.thread = fields.toIndex(thread);
  step.threads = fields.toIndex(threads);
  return step;
}
