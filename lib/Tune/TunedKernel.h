//===- TunedKernel.h - A linear kernel that can be run ----------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiles one linear kernel into memory and runs it on all threads.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_TUNE_TUNEDKERNEL_H
#define RLX_LIB_TUNE_TUNEDKERNEL_H

#include "rlx/Kernels/KernelSpecs.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/Error.h"

namespace rlx {

/// What runs of a kernel read and write.
struct KernelMemory {
  const uint8_t *weights; ///< of the first run; those of others follow
  size_t weightBytes;     ///< of one run
  size_t runs;
  const uint8_t *in; ///< prepared rows
  float *out;
};

class TunedKernel {
public:
  static llvm::Expected<TunedKernel> compile(const TargetDescription &target,
                                             const LinearSpec &spec);

  /// Runs it on `rows` rows with one weight after another; returns the seconds.
  double run(const KernelMemory &memory, int64_t rows, unsigned threads) const;

private:
  using Function = void (*)(const void *weights, const void *in, void *out, void *counter,
                            int64_t rows, int64_t thread, int64_t threads);
  std::unique_ptr<llvm::orc::LLJIT> jit;
  Function function = nullptr;
};

} // namespace rlx

#endif // RLX_LIB_TUNE_TUNEDKERNEL_H
