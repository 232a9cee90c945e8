//===-- runtime/lib/model_impl.h - what an opened model holds -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The shared state behind Model.
//===----------------------------------------------------------------------===//
#ifndef RLX_RUNTIME_LIB_MODEL_IMPL_H
#define RLX_RUNTIME_LIB_MODEL_IMPL_H

#include "code_loader.h"
#include "manifest.h"
#include "payload.h"

#include "rlx/runtime/model.h"

#include <optional>

namespace rlx {

struct Model::Impl {
  // Of a model file; absent for one in memory.
  std::optional<Payload> payload;
  LoadedCode code;
  size_t codeIndex = 0; ///< of manifest.code

  std::shared_ptr<const void> owner; ///< of a model in memory
  const rlx_model_t *table = nullptr;
  Span<const uint8_t> weights;
  std::string manifestText;
  Manifest manifest;
  uint32_t threads = 1;

  /// Maps layers to KV slots; as many as the manifest lists, or one per slot.
  uint32_t layerCount() const;
  uint32_t slotOfLayer(uint32_t layer) const;
};

/// Fills `impl` from a model file: picks the code object named `target`, or the
/// most specific one that this CPU runs, and maps code and weights.
Status loadPayload(Model::Impl &impl, const std::string &path, const std::string &target);

} // namespace rlx

#endif // RLX_RUNTIME_LIB_MODEL_IMPL_H
