//===- Stages.h - The stage table of a step function ------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Describes each kernel call of a step for those who watch it run: rlx_stage_t of
// rlx/runtime/abi.h, as an attribute until the model table is made.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_CONVERSION_STAGES_H
#define RLX_LIB_CONVERSION_STAGES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/DenseMap.h"
#include <optional>

namespace rlx {

/// What is known of a stage besides its op.
struct StageWork {
  std::string verb;   ///< what is done; empty: what the op is called
  std::string format; ///< of the numbers that are read, where kinds differ by it
  std::string shape;  ///< e.g. "1152x1536"
  bool outRows = false;
  bool ofTop = false; ///< done only where the greatest outputs are asked for
  std::optional<int64_t> kvSlot;
  std::optional<int64_t> probe; ///< index of what multiplies
  int64_t weightBytes = 0, rowBytes = 0, rowOperations = 0, keyOperations = 0;
};

/// One entry of the table, as the attribute holds it.
struct StageEntry {
  std::string name, kind;
  std::optional<int64_t> layer;
  StageWork work;
};

/// Collects the stages of one function.
class StageTable {
public:
  /// Appends a kernel call for `op`; returns its index.
  int64_t add(mlir::Operation *op, const StageWork &work);
  mlir::ArrayAttr getAttr(mlir::MLIRContext *context) const;

private:
  std::optional<int64_t> getLayer(mlir::Operation *op);

  llvm::SmallVector<StageEntry> entries;
  llvm::DenseMap<mlir::Operation *, std::optional<int64_t>> layers;
};

/// Reads an entry of the attribute; failure where a field is missing or odd.
mlir::FailureOr<StageEntry> readStage(mlir::Attribute attribute);

/// The function that tells the step's hook, if it has one, which stage a thread begins:
/// (args, stage, thread). Made once in each module.
mlir::func::FuncOp getBeginStage(mlir::ModuleOp module);

} // namespace rlx

#endif // RLX_LIB_CONVERSION_STAGES_H
