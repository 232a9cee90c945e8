//===- Emitters.h - One emitter for each kind of kernel ---------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each fills the body of a function whose operands are those that
// rlx/Kernels/KernelSpecs.h lists. Strides are resolved: none is 0.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_KERNELS_EMITTERS_H
#define RLX_LIB_KERNELS_EMITTERS_H

#include "KernelBuilder.h"

namespace rlx {

void emitLinear(KernelBuilder &b, const LinearSpec &spec);
/// What emitLinear emits for more than untiledRows rows where spec.tiled.
void emitTiledLinear(KernelBuilder &b, const LinearSpec &spec);
/// Takes a vector of outputs from a column on.
using StoreOutputs = llvm::function_ref<void(mlir::Value outputs, mlir::Value column)>;
/// What follows the product: gives outputs of neighbouring panels (of gates and ups in turn where
/// spec.geglu), the first of which is `panel`, for one token, to `store`. `tail`: the last output
/// is the weight's last, whose columns may be missing.
void emitLinearEpilogue(KernelBuilder &b, const LinearSpec &spec, llvm::ArrayRef<mlir::Value> sums,
                        mlir::Value panel, mlir::Value token, bool tail, StoreOutputs store);
/// Stores outputs in the kernel's f32 rows.
void storeOutputs(KernelBuilder &b, const LinearSpec &spec, mlir::Value outputs, mlir::Value token,
                  mlir::Value column);
/// Operands as ScreenSpec lists them.
void emitScreenBounds(KernelBuilder &b, const ScreenSpec &spec);
void emitScreenSelect(KernelBuilder &b, const ScreenSpec &spec);
void emitPrepare(KernelBuilder &b, const PrepareSpec &spec);
void emitRmsNorm(KernelBuilder &b, const RmsNormSpec &spec);
void emitEmbedding(KernelBuilder &b, const EmbeddingSpec &spec);
/// `table` points to the frequencies in turns per position, f64.
void emitRopeAngles(KernelBuilder &b, const RopeAnglesSpec &spec, mlir::Value table);
void emitRope(KernelBuilder &b, const RopeSpec &spec);
void emitKvAppend(KernelBuilder &b, const KvAppendSpec &spec);
void emitAttention(KernelBuilder &b, const AttentionSpec &spec);
/// What emitAttention emits for more than RLX_EXACT_TOKENS rows where spec.tiled.
void emitTiledAttention(KernelBuilder &b, const AttentionSpec &spec);
void emitAttentionMerge(KernelBuilder &b, const AttentionSpec &spec);
/// The same by its definition (LinearSpec::generic, AttentionSpec::generic).
void emitGenericLinear(KernelBuilder &b, const LinearSpec &spec);
void emitGenericAttention(KernelBuilder &b, const AttentionSpec &spec);
void emitElementwise(KernelBuilder &b, const ElementwiseSpec &spec);
void emitSelectRows(KernelBuilder &b, const SelectRowsSpec &spec);

/// 1 / sqrt(mean(x^2) + eps) over `columns` contiguous f32, as a scalar.
mlir::Value emitRmsScale(KernelBuilder &b, mlir::Value x, int64_t columns, double eps);
/// Lanes of x * scale * gain, or x * scale * (1 + gain).
mlir::Value emitNormalize(KernelBuilder &b, mlir::Value x, mlir::Value scale, mlir::Value gain,
                          NormGain kind);
bool isBinary(ElementwiseKind kind);

/// A loop of products as linear kernels compute them from `format`, and nothing else. Operands:
/// (memory of RLX_PROBE_BYTES, rounds).
void emitProbe(KernelBuilder &b, DotProduct product);
/// Multiplications and additions of one round.
int64_t probeOperations(DotProduct product, const TargetDescription &target);

} // namespace rlx

#endif // RLX_LIB_KERNELS_EMITTERS_H
