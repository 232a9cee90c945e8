//===- PackWeights.h - From checkpoint tensors to weights.bin ---*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Streams packed weights: rows are read from mapped files, transformed, quantised
// and laid out in parallel, and handed on in order in buffers of bounded size.
//===----------------------------------------------------------------------===//
#ifndef RLX_PACKING_PACKWEIGHTS_H
#define RLX_PACKING_PACKWEIGHTS_H

#include "rlx/IR/RLXOps.h"
#include "rlx/Import/WeightSource.h"
#include "rlx/Packing/Layouts.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <array>

namespace rlx {

/// A step from stored to packed elements.
struct WeightTransform {
  enum Kind { AddScalar, Convert, ResidualNorms } kind = Convert;
  float value = 0.0f;      ///< AddScalar
  DType type = DType::F32; ///< Convert: F32, F16, BF16, or what canQuantize names, as
                           ///< ResidualNorms does
};

/// How one packed weight is made: plain data, as `rlx.weight` says it.
struct WeightRecipe {
  std::string name;
  llvm::SmallVector<const Tensor *, 3> sources;
  Combine combine = Combine::None;
  llvm::SmallVector<WeightTransform, 2> transforms;
  WeightLayout layout = WeightLayout::R16;
  WeightFormat format = WeightFormat::F32;
  uint64_t rows = 0, columns = 0;
  uint64_t sourceColumns = 0;    ///< of the sources' rows: `columns` but with ResidualNorms
  uint64_t offset = 0, size = 0; ///< place in the packed weights
};

/// Whether the packed weight has the very blocks that its sources store.
bool keepsBlocks(const WeightRecipe &recipe);

/// Finds a tensor of the checkpoint by the file and name that `source` gives.
using TensorResolver = llvm::function_ref<llvm::Expected<const Tensor *>(SourceAttr source)>;

/// Reads the recipes of a module whose weights have been laid out, in the order of
/// their offsets. Errors name the weight.
llvm::Expected<std::vector<WeightRecipe>> readRecipes(mlir::ModuleOp module,
                                                      TensorResolver resolve);

struct PackOptions {
  unsigned threads = 0; ///< 0: one for each core
  /// Bytes that all threads together pack between two calls of the sink.
  size_t batchBytes = size_t(8) << 20;
  /// Told how many of the bytes of weights.bin have been handed on.
  std::function<void(uint64_t done, uint64_t total)> progress;
  /// Told the relative RMS error of each weight that was quantised.
  std::function<void(const WeightRecipe &, double relativeError)> quantized;
  /// Told when a tensor will not be read again.
  std::function<void(const Tensor &)> release;
};

/// Takes the next bytes of weights.bin.
using ByteSink = llvm::function_ref<llvm::Error(llvm::ArrayRef<uint8_t>)>;

/// What was written.
struct PackedWeights {
  uint64_t bytes = 0;
  std::array<uint8_t, 32> sha256 = {};
};

/// Packs `recipes` in order, with zeros between them up to their offsets. The bytes
/// do not depend on the options. Stops at the first error of the sink.
llvm::Expected<PackedWeights> packWeights(llvm::ArrayRef<WeightRecipe> recipes,
                                          const PackOptions &options, ByteSink sink);

} // namespace rlx

#endif // RLX_PACKING_PACKWEIGHTS_H
