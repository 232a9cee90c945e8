//===- ImportModel.h - From a checkpoint to an RLX module -----------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The one builder of RLX modules: every Gemma version, weight type and role.
//===----------------------------------------------------------------------===//
#ifndef RLX_IMPORT_IMPORTMODEL_H
#define RLX_IMPORT_IMPORTMODEL_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "rlx/IR/RLXOps.h"
#include "rlx/Import/ModelConfig.h"
#include "rlx/Import/WeightSource.h"

namespace rlx {

/// Module attribute: the model's description, as toJson gives it, in text.
inline constexpr llvm::StringLiteral kModelAttr = "rlx.model";
/// Module attribute: the #rlx.source of each multi-token-prediction tensor, where
/// they are included.
inline constexpr llvm::StringLiteral kMtpAttr = "rlx.mtp";

struct ImportOptions {
  /// The most sequences of one call. Model binaries run one.
  int64_t maxBatch = 1;
  /// Positions that a sequence may have; 0: as many as the checkpoint allows.
  int64_t maxContext = 0;
  /// The most new tokens that one call takes.
  int64_t chunk = 512;
  /// The most positions of one call whose logits are computed.
  int64_t maxOutputs = 32;
  KVType kvType = KVType::F16;
  /// Keep multi-token-prediction tensors; an error where there are none.
  bool includeMtp = false;
};

/// Checks that `weights` holds exactly the tensors that `config` describes, with
/// their shapes, and builds the module: symbols, weights, KV slots, and the
/// functions @prefill and @decode. Afterwards every tensor of `weights` is
/// consumed, skipped for a stated reason, or marked as MTP.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> importModel(mlir::MLIRContext &context,
                                                              WeightSource &weights,
                                                              const ModelConfig &config,
                                                              const ImportOptions &options = {});

} // namespace rlx

#endif // RLX_IMPORT_IMPORTMODEL_H
