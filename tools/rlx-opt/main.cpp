//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// rlx-opt: mlir-opt with the RLX dialect and passes.

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "rlx/Conversion/Passes.h"
#include "rlx/Conversion/Scratch.h"
#include "rlx/IR/RLXOps.h"
#include "rlx/Transforms/Passes.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllPasses();
  registry.insert<rlx::RLXDialect>();
  rlx::registerTransformsPasses(rlx::scratchBytes);
  rlx::registerRLXConversionPasses();
  rlx::registerConversionPipelines();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "RLX optimizer driver\n", registry));
}
