//===- WeightPrefetch.h - Asking for weights ahead of their use -*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where many tokens pass over the same panels, these are in a cache after the first
// pass, and memory would rest in the others. So all passes share in asking for what
// comes next, a part in every few steps: memory then works while the multipliers do.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_KERNELS_WEIGHTPREFETCH_H
#define RLX_LIB_KERNELS_WEIGHTPREFETCH_H

#include "KernelBuilder.h"

namespace rlx {

/// Asks for what lies `ahead` bytes behind columns k … k + count - 1 of a panel: into the nearest
/// cache, or the one behind it.
void prefetchColumns(KernelBuilder &b, const LinearSpec &spec, mlir::Value panel, mlir::Value k,
                     int64_t count, int64_t ahead, bool nearest = true);

class SharedPrefetch {
public:
  /// Of so many passes over the same panels.
  SharedPrefetch(KernelBuilder &b, const LinearSpec &spec, mlir::Value passes);

  /// The part of pass number `pass` in the step of columns k … k + count - 1 (both a power of two's
  /// multiples) of each panel.
  void emitStep(llvm::ArrayRef<mlir::Value> panels, mlir::Value pass, mlir::Value k, int64_t count,
                int64_t ahead) const;

private:
  KernelBuilder &b;
  const LinearSpec &spec;
  mlir::Value spread; ///< passes that take part: a power of two
};

} // namespace rlx

#endif // RLX_LIB_KERNELS_WEIGHTPREFETCH_H
