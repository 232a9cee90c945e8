//===- MemoryUse.h - What ops do with memory --------------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Which results occupy workspace, which alias an operand, and where an op may
// write over what it reads. Shared by the planner and its verifier.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_TRANSFORMS_MEMORYUSE_H
#define RLX_LIB_TRANSFORMS_MEMORYUSE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "rlx/IR/RLXOps.h"

namespace rlx {

/// Whether results of `op` are computed from its operands' memory or from the
/// step's arguments wherever they are used, so that they occupy none.
bool isView(mlir::Operation *op);

/// The value whose memory `value` is in: itself unless it is a view.
mlir::Value getBuffer(mlir::Value value);

/// Whether `value` is an op's result that lies in the workspace or an output.
bool occupiesMemory(mlir::Value value);

/// Whether the caller gives the memory of `value`: it is returned, not as a view.
bool isOutput(mlir::Value value);

/// Bytes of `value` at the largest sizes, or an error at its op.
mlir::FailureOr<int64_t> getMaxBytes(mlir::Value value);

/// Whether the op may write its result over `operand` while it reads that.
bool canReuse(mlir::OpOperand &operand);

} // namespace rlx

#endif // RLX_LIB_TRANSFORMS_MEMORYUSE_H
