//===- Pipeline.h - From kernels to the LLVM dialect ------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The pass pipeline that lowers kernels, and functions that call them.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_KERNELS_PIPELINE_H
#define RLX_KERNELS_PIPELINE_H

#include "mlir/Pass/PassManager.h"
#include "rlx/Target/TargetDescription.h"

namespace rlx {

/// Adds the passes from scf, vector, arith, math, cf, index and func to the
/// LLVM dialect. No floating-point operation is reassociated, contracted or turned
/// into a library call.
void buildKernelLoweringPipeline(mlir::OpPassManager &manager, const TargetDescription &target);

} // namespace rlx

#endif // RLX_KERNELS_PIPELINE_H
