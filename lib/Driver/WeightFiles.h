//===- WeightFiles.h - The tensors that a module names ----------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Finds #rlx.source tensors, in the open checkpoint or, for a module that was read
// from a file, in the files that it names.
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_DRIVER_WEIGHTFILES_H
#define RLX_LIB_DRIVER_WEIGHTFILES_H

#include "rlx/IR/RLXOps.h"
#include "rlx/Import/WeightSource.h"
#include <map>

namespace rlx {

class WeightFiles {
public:
  /// `checkpoint` may be null.
  explicit WeightFiles(WeightSource *checkpoint) : checkpoint(checkpoint) {}

  llvm::Expected<const Tensor *> find(SourceAttr source);
  /// The pages of `tensor` may leave memory.
  void release(const Tensor &tensor) const;

private:
  WeightSource *checkpoint;
  std::map<std::string, std::unique_ptr<WeightSource>> files;
};

/// Multi-token-prediction tensors as one file in the safetensors format; quantised
/// ones keep their stored blocks, with the format's name as dtype.
llvm::Error writeSafetensors(llvm::ArrayRef<const Tensor *> tensors,
                             llvm::function_ref<llvm::Error(llvm::ArrayRef<uint8_t>)> sink);

} // namespace rlx

#endif // RLX_LIB_DRIVER_WEIGHTFILES_H
