//===- Passes.h - Conversion passes -----------------------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The passes that take RLX to the LLVM dialect; see Passes.td.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_CONVERSION_PASSES_H
#define RLX_CONVERSION_PASSES_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include "rlx/IR/RLXOps.h"
#include "rlx/Target/TargetDescription.h"

namespace rlx {

#define GEN_PASS_DECL
#include "rlx/Conversion/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "rlx/Conversion/Passes.h.inc"

/// From step functions and kernels to the LLVM dialect, with the model table.
void buildConvertToLLVMPipeline(mlir::OpPassManager &manager, const TargetDescription &target);

/// Registers `rlx-convert-to-llvm`, the pipeline above, with the option target-cpu.
void registerConversionPipelines();

} // namespace rlx

#endif // RLX_CONVERSION_PASSES_H
