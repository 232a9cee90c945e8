//===- ForwardBuilder.h - Builder of forward functions --------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Builds @prefill and @decode; the two differ in SEQ, which decode binds to 1.
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_IMPORT_FORWARDBUILDER_H
#define RLX_LIB_IMPORT_FORWARDBUILDER_H

#include "TensorNames.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "rlx/IR/RLXOps.h"
#include "rlx/Import/ModelConfig.h"

namespace rlx {

/// Names of the module's weights, whatever the checkpoint calls them.
namespace weightName {
inline constexpr char embedding[] = "embedding";
inline constexpr char finalNorm[] = "final_norm";
inline constexpr char head[] = "head";
std::string layer(int64_t number, LayerTensor tensor);
} // namespace weightName

std::string slotName(int64_t slot);

class ForwardBuilder {
public:
  /// Functions are added at the builder's insertion point.
  ForwardBuilder(mlir::OpBuilder &builder, const ModelConfig &config, Role role);
  mlir::func::FuncOp build();

private:
  /// A tensor of BATCH × rows × the trailing sizes.
  mlir::RankedTensorType tensorType(mlir::AffineExpr rows, llvm::ArrayRef<int64_t> trailing,
                                    mlir::Type element);
  mlir::RankedTensorType activation(llvm::ArrayRef<int64_t> trailing);
  mlir::FloatAttr f32(double value);
  mlir::FlatSymbolRefAttr symbol(llvm::StringRef name);

  mlir::func::FuncOp createFunction();
  void emitAngles(mlir::Value cache);
  mlir::Value anglesOf(const RopeConfig &rope) const;
  mlir::Value norm(mlir::Value input, const std::string &weight);
  mlir::Value layerNorm(mlir::Value input, int64_t layer, LayerTensor tensor);
  mlir::Value linear(mlir::Value input, mlir::Type result, const std::string &weight);
  mlir::Value project(mlir::Value input, int64_t layer, LayerTensor tensor, int64_t columns);
  mlir::Value heads(mlir::Value input, int64_t count, int64_t headDim);
  mlir::Value attentionBlock(mlir::Value x, int64_t number, mlir::Value &cache);
  void appendKeys(mlir::Value input, int64_t number, mlir::Value &cache);
  mlir::Value feedForwardBlock(mlir::Value x, int64_t number);
  void emitOutputs(mlir::Value x, mlir::Value begin, mlir::Value cache);

  mlir::OpBuilder builder;
  mlir::Location loc;
  const ModelConfig &config;
  Role role;
  llvm::SmallVector<mlir::StringAttr> symbols; ///< BATCH, SEQ, PAST_SEQ, OUT
  mlir::AffineExpr batch, seq, past, out;
  std::vector<std::pair<RopeConfig, mlir::Value>> angles;
};

} // namespace rlx

#endif // RLX_LIB_IMPORT_FORWARDBUILDER_H
