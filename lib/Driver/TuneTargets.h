//===- TuneTargets.h - --tune -----------------------------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Lets the targets that are this machine be tuned for the products of a model.
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_DRIVER_TUNETARGETS_H
#define RLX_LIB_DRIVER_TUNETARGETS_H

#include "Console.h"
#include "rlx/IR/RLXOps.h"
#include "llvm/Support/Error.h"

namespace rlx {

/// Appends to each of `names` that stands for this machine what is fastest for the packed weights
/// of `module`, from earlier measurements or new ones. An error where none does.
llvm::Error tuneTargets(std::vector<std::string> &names, mlir::ModuleOp module, unsigned threads,
                        Console &console);

} // namespace rlx

#endif // RLX_LIB_DRIVER_TUNETARGETS_H
