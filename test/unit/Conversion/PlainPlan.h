//===- PlainPlan.h - A memory plan without reuse ----------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What tests use where the plan does not matter.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_TEST_UNIT_CONVERSION_PLAINPLAN_H
#define RLX_TEST_UNIT_CONVERSION_PLAINPLAN_H

#include "mlir/IR/BuiltinOps.h"

namespace rlx::test {

/// Gives every result of the forward functions its own place in the workspace.
void planWithoutReuse(mlir::ModuleOp module);

/// Adds the variants `generic` for @prefill and `decode` for @decode.
void addVariants(mlir::ModuleOp module);

} // namespace rlx::test

#endif // RLX_TEST_UNIT_CONVERSION_PLAINPLAN_H
