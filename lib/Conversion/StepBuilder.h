//===- StepBuilder.h - Builds the body of a step function -------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Maps tensors to views of memory and appends kernel calls and barriers.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_CONVERSION_STEPBUILDER_H
#define RLX_LIB_CONVERSION_STEPBUILDER_H

#include "Region.h"
#include "Stages.h"
#include "StepArguments.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "rlx/Conversion/Attributes.h"
#include "rlx/IR/RLXOps.h"
#include "rlx/Kernels/KernelLibrary.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

namespace rlx {

/// A tensor in memory.
struct View {
  mlir::Value pointer; ///< its first column
  Region region;
  mlir::Value rows; ///< how many there are in this step
  int64_t maxRows = 0;

  int64_t getStride() const { return region.stride / int64_t(sizeof(float)); }
};

/// Columns of a row: the product of the sizes from dimension 2 on.
int64_t getColumns(mlir::Value tensor);

/// Converts one planned function.
class StepBuilder {
public:
  /// `source` is converted into the empty function `entry`.
  StepBuilder(mlir::func::FuncOp source, mlir::func::FuncOp entry, KernelLibrary &kernels);

  /// Converts the body. Errors are reported at ops of `source`.
  mlir::LogicalResult build();
  /// The kernel calls of the body, in order.
  const StageTable &getStages() const { return stages; }

private:
  // One function for each op, in OpConversions.cpp.
  mlir::LogicalResult convert(EmbeddingOp op);
  mlir::LogicalResult convert(RmsNormOp op);
  mlir::LogicalResult convert(LinearOp op);
  mlir::LogicalResult convert(RopeAnglesOp op);
  mlir::LogicalResult convert(RopeOp op);
  mlir::LogicalResult convert(KVAppendOp op);
  mlir::LogicalResult convert(RopeAppendOp op);
  mlir::LogicalResult convert(AttentionOp op);
  mlir::LogicalResult convert(CachedAttentionOp op);
  mlir::LogicalResult convert(SelectRowsOp op);
  mlir::LogicalResult convert(SplitOp op);
  mlir::LogicalResult convert(SplitHeadsOp op);
  mlir::LogicalResult convert(MergeHeadsOp op);
  mlir::LogicalResult convertElementwise(mlir::Operation *op, ElementwiseKind kind,
                                         double value = 1.0);
  mlir::LogicalResult convertAppend(mlir::Operation *op, mlir::FlatSymbolRefAttr slot,
                                    mlir::Value key, mlir::Value value, mlir::Value angles);
  mlir::LogicalResult convertAttention(mlir::Operation *op, mlir::FlatSymbolRefAttr slot,
                                       mlir::Value query, mlir::FloatAttr scale,
                                       mlir::FloatAttr cap, int64_t window);
  mlir::LogicalResult convertViews(mlir::Value input, mlir::ResultRange pieces);
  mlir::LogicalResult convertOp(mlir::Operation *op);
  mlir::LogicalResult convertReturn(mlir::func::ReturnOp op);

  /// The op's scratch memory from `begin` on, `bytes` long: as many rows as `rows` has, of
  /// `rowBytes` each.
  mlir::FailureOr<View> getScratch(mlir::Operation *op, const View &rows, int64_t rowBytes,
                                   int64_t bytes, int64_t begin = 0);
  /// The weight of a linear op, and what its kernel reads on the target.
  struct Product {
    WeightOp weight;
    WeightFormat format;
    PreparedFormat reads;
  };
  mlir::FailureOr<Product> getProduct(LinearOp op, int64_t maxRows);
  /// Whether attention to that query, which has up to `maxRows` rows, takes the matrix unit where
  /// there is code for it.
  mlir::FailureOr<bool> isTiled(mlir::Value query, int64_t maxRows);
  /// How a linear op's kernel can write its result so that the product that alone reads it needs
  /// no preparation.
  mlir::FailureOr<std::optional<PreparedFormat>>
  getPreparedResult(LinearOp op, const LinearSpec &spec, int64_t maxRows);
  /// The activations that a linear op's kernel reads: prepared ones, or the input.
  mlir::FailureOr<View> prepareInput(LinearOp op, const View &in, ActivationFormat activation,
                                     const LinearSpec &linear, int64_t scratch = 0);
  /// What the product with a coarse copy reads and writes.
  struct CoarseOutputs {
    View activations, outputs;
  };
  /// Multiplies the coarse copy of the op's weight, unless `top` is 0 in this step.
  mlir::FailureOr<CoarseOutputs> multiplyCoarse(LinearOp op, const View &in, const View &prepared,
                                                const LinearSpec &linear, mlir::Value top);
  /// Computes which outputs can be among the greatest that the step asks for; returns the memory
  /// that says so. `prepared` are the activations that the op's own weight is multiplied with.
  mlir::FailureOr<View> screenOutputs(LinearOp op, const View &in, const View &prepared,
                                      const LinearSpec &linear);

  /// The view of a converted value, or an error at `user`.
  mlir::FailureOr<View> getView(mlir::Operation *user, mlir::Value value);
  /// Makes the view of a result where the plan, or the function's output, puts it.
  mlir::FailureOr<View> makeResult(mlir::OpResult result, const View &rowsLike);
  View makeView(Region::Space space, mlir::Value base, int64_t offset, int64_t columns,
                const View &rowsLike);
  /// Whether `bytes` at `offset` of the workspace lie inside, aligned; else an error at `op`.
  mlir::LogicalResult checkPlace(mlir::Operation *op, int64_t offset, int64_t bytes);
  /// The address of a packed weight.
  mlir::FailureOr<mlir::Value> getWeight(mlir::Operation *user, mlir::FlatSymbolRefAttr name);
  /// The slot and its index.
  mlir::FailureOr<std::pair<KVSlotOp, int64_t>> getSlot(mlir::Operation *user,
                                                        mlir::FlatSymbolRefAttr name);

  struct Accesses {
    llvm::SmallVector<Region> reads;
    llvm::SmallVector<Region> inPlace; ///< reads that may be of the view that is written
    llvm::SmallVector<Region> writes;
  };
  /// Finds the counters of kernels, and sets them to 0 in thread 0.
  mlir::LogicalResult clearCounters();
  /// The next counter of a kernel whose work is claimed, and its place.
  mlir::FailureOr<std::pair<mlir::Value, Region>> takeCounter(mlir::Operation *op);

  /// Calls a kernel for `op`, a stage of the step; appends `thread` and `threads` to the operands.
  mlir::LogicalResult call(mlir::Operation *op, mlir::func::FuncOp kernel,
                           llvm::ArrayRef<mlir::Value> operands, const Accesses &accesses,
                           StageWork work = {});
  void beginStage(mlir::Operation *op, llvm::ArrayRef<mlir::Value> operands, StageWork work);
  mlir::Value getIndex(int64_t value);
  /// The rows of the step's own positions.
  View getStepRows();

  mlir::func::FuncOp source, entry;
  KernelLibrary &kernels;
  mlir::OpBuilder builder;
  mlir::Location loc;
  StepArguments step;
  AccessTracker tracker;
  StageTable stages;
  int64_t maxRows = 1, maxOutRows = 1;
  Counters counters;
  int64_t countersTaken = 0;
  llvm::DenseMap<mlir::Value, View> views;
  llvm::DenseSet<mlir::Value> preparedResults; ///< of kernels that wrote no rows of f32
  /// Where the function's results go: 0 logits, 1 hidden.
  llvm::DenseMap<mlir::Value, Region::Space> outputs;
};

} // namespace rlx

#endif // RLX_LIB_CONVERSION_STEPBUILDER_H
