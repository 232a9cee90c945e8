//===- ModelParts.h - What a model binary is put together from --*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Manifest and tokenizer from a module and its checkpoint, and packing in the
// background while code is generated.
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_DRIVER_MODELPARTS_H
#define RLX_LIB_DRIVER_MODELPARTS_H

#include "CodeObjects.h"
#include "Settings.h"
#include "WeightFiles.h"
#include "rlx/Import/Checkpoint.h"
#include "rlx/Packing/PackWeights.h"
#include "rlx/Payload/Manifest.h"
#include <atomic>
#include <future>

namespace rlx {

/// The manifest without what is known only when everything has been written: code,
/// and the entries of weights and tokenizer.
llvm::Expected<ModelManifest> beginManifest(mlir::ModuleOp module, const Profile &profile,
                                            const Settings &settings, Console &console);

/// tokenizer.bin, or nothing (with a note) where the checkpoint has no tokenizer.
llvm::Expected<std::optional<std::string>> buildTokenizer(const Checkpoint &checkpoint,
                                                          int64_t vocabSize, Console &console);

/// Packs the weights of a planned module on other threads.
class BackgroundPacking {
public:
  using Sink = std::function<llvm::Error(llvm::ArrayRef<uint8_t>)>;

  /// Starts; `files` and what `sink` uses must outlive this object.
  BackgroundPacking(std::vector<WeightRecipe> recipes, WeightFiles &files, unsigned threads,
                    Console &console, Sink sink);
  /// Stops packing at the next batch if wait() has not been called.
  ~BackgroundPacking();

  llvm::Expected<PackedWeights> wait();

private:
  std::vector<WeightRecipe> recipes;
  Sink sink;
  std::atomic<bool> cancelled{false};
  std::future<void> task;
  std::optional<llvm::Expected<PackedWeights>> result;
};

} // namespace rlx

#endif // RLX_LIB_DRIVER_MODELPARTS_H
