//===- ModelTensors.h - The tensors of a model, found and checked ---------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Matches the tensors of a weight source with the model that they should form.
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_IMPORT_MODELTENSORS_H
#define RLX_LIB_IMPORT_MODELTENSORS_H

#include "TensorNames.h"
#include "rlx/Import/ModelConfig.h"
#include "rlx/Import/WeightSource.h"
#include <map>

namespace rlx {

struct ModelTensors {
  const Tensor *embedding = nullptr;
  const Tensor *head = nullptr; ///< null where the embedding serves
  const Tensor *finalNorm = nullptr;
  std::vector<std::map<LayerTensor, const Tensor *>> layers;
};

/// Finds every tensor that `config` calls for and checks its shape. Every other
/// tensor must be one that may be skipped, or belong to an MTP head.
llvm::Expected<ModelTensors> bindTensors(const ModelConfig &config, WeightSource &source);

} // namespace rlx

#endif // RLX_LIB_IMPORT_MODELTENSORS_H
