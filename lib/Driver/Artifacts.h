//===- Artifacts.h - The files that a compile writes ------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Model binaries, objects with their companions, and text.
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_DRIVER_ARTIFACTS_H
#define RLX_LIB_DRIVER_ARTIFACTS_H

#include "ModelParts.h"

namespace rlx {

/// Everything that goes into a model besides its weights.
struct ModelContents {
  ModelManifest manifest; ///< from beginManifest
  PackedWeights weights;
  std::vector<CodeObject> code; ///< linked, unless --emit=object; hash not yet set
  std::optional<std::string> tokenizer;
  std::vector<const Tensor *> mtp;
};

/// Takes the packed weights as they come, then the rest. Until commit() the user sees
/// no file; afterwards all of them.
class ModelOutput {
public:
  virtual ~ModelOutput();
  virtual llvm::Error writeWeights(llvm::ArrayRef<uint8_t> bytes) = 0;
  virtual llvm::Error finish(ModelContents contents) = 0;
  virtual llvm::Error commit() = 0;
  /// Where the finished output lies before commit().
  virtual llvm::StringRef temporaryPath() const = 0;
  /// The size of the finished output.
  virtual uint64_t size() const = 0;
};

/// Every file that the compile is going to write. An error where two have one name.
llvm::Expected<std::vector<std::string>> listOutputs(const CompileOptions &options);

/// Output for options.emit: Binary, Shared or Object, for code of `target`'s machine.
llvm::Expected<std::unique_ptr<ModelOutput>> createModelOutput(const CompileOptions &options,
                                                               const TargetDescription &target);

/// Writes text to a file, or to standard output for "" and "-".
llvm::Error writeText(llvm::StringRef output, llvm::StringRef text);

} // namespace rlx

#endif // RLX_LIB_DRIVER_ARTIFACTS_H
