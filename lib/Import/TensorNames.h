//===- TensorNames.h - What checkpoints call their tensors ----------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Maps the roles of tensors to the names that Hugging Face and GGUF give them.
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_IMPORT_TENSORNAMES_H
#define RLX_LIB_IMPORT_TENSORNAMES_H

#include "rlx/Import/ModelConfig.h"
#include "rlx/Import/WeightSource.h"

namespace rlx {

/// Roles of a layer's tensors, in the order of the computation.
enum class LayerTensor : uint8_t {
  InputNorm,
  Query,
  Key,
  Value,
  QueryNorm,
  KeyNorm,
  Output,
  PostAttentionNorm,
  PreFeedForwardNorm,
  Gate,
  Up,
  Down,
  PostFeedForwardNorm
};

class TensorNames {
public:
  /// Finds out which of the prefixes in use `source` has.
  TensorNames(const ModelConfig &config, const WeightSource &source);

  std::string embedding() const;
  std::string head() const;
  std::string finalNorm() const;
  std::string layer(int64_t number, LayerTensor tensor) const;
  /// Whether the tensor belongs to a multi-token-prediction head: by its name, or
  /// as one of the layers that follow the model's.
  bool isMtp(llvm::StringRef name) const;

private:
  const ModelConfig &config;
  std::string prefix;     ///< of the text model's tensors
  std::string headPrefix; ///< of lm_head
};

/// Why a tensor that the text model does not use may be left out; empty if it
/// may not.
llvm::StringRef reasonToSkip(llvm::StringRef name);

} // namespace rlx

#endif // RLX_LIB_IMPORT_TENSORNAMES_H
