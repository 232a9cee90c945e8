//===- KernelLibrary.h - Kernels of a module, made on demand ----*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The kernel builder's front: hands out `func.func private` kernels, written in
// scf, vector, arith, math and llvm.load/store, one for each different spec.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_KERNELS_KERNELLIBRARY_H
#define RLX_KERNELS_KERNELLIBRARY_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"
#include "rlx/Kernels/KernelSpecs.h"

namespace rlx {

/// Emits kernels for one target into one module. A kernel is named after its spec, so
/// that layers of the same shape share one body, also across several libraries of
/// the same module and target.
class KernelLibrary {
public:
  /// Loads the dialects that kernels are written in.
  KernelLibrary(mlir::ModuleOp module, const TargetDescription &target);

  mlir::func::FuncOp getLinear(LinearSpec spec);
  /// The two kernels of screening, in their order.
  mlir::func::FuncOp getScreenBounds(const ScreenSpec &spec);
  mlir::func::FuncOp getScreenSelect(const ScreenSpec &spec);
  mlir::func::FuncOp getPrepare(PrepareSpec spec);
  mlir::func::FuncOp getRmsNorm(RmsNormSpec spec);
  mlir::func::FuncOp getEmbedding(EmbeddingSpec spec);
  mlir::func::FuncOp getRopeAngles(RopeAnglesSpec spec);
  mlir::func::FuncOp getRope(RopeSpec spec);
  mlir::func::FuncOp getKvAppend(KvAppendSpec spec);
  mlir::func::FuncOp getAttention(AttentionSpec spec);
  /// The second kernel of attention by chunks.
  mlir::func::FuncOp getAttentionMerge(AttentionSpec spec);
  mlir::func::FuncOp getElementwise(ElementwiseSpec spec);
  mlir::func::FuncOp getSelectRows(SelectRowsSpec spec);

  /// The loop that shows the peak of a product.
  struct Probe {
    DotProduct product;
    llvm::StringRef name;        ///< e.g. "int8 dot"
    int64_t operations;          ///< multiplications and additions of one round
    mlir::func::FuncOp function; ///< (memory of RLX_PROBE_BYTES, rounds)
  };
  /// The index of a product's probe among getProbes().
  int64_t getProbe(DotProduct product);
  llvm::ArrayRef<Probe> getProbes() const { return probes; }

  const TargetDescription &getTarget() const { return target; }

private:
  /// Returns the function `name`, made by `emit` unless the module has it.
  mlir::func::FuncOp getOrEmit(llvm::StringRef name, unsigned pointers, unsigned counts,
                               llvm::function_ref<void(mlir::func::FuncOp)> emit);

  llvm::SmallVector<Probe, 3> probes;
  mlir::ModuleOp module;
  const TargetDescription &target;
};

} // namespace rlx

#endif // RLX_KERNELS_KERNELLIBRARY_H
