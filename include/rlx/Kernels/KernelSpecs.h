//===- KernelSpecs.h - What a kernel computes -------------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The compile-time parameters of every kernel, and the operands of its function.
//
// Conventions shared by all kernels:
//  - Pointers are !llvm.ptr, counts are index. Nothing is returned.
//  - Activations are rows of f32, row = sequence * SEQ + position. A view is a
//    pointer to its first column and a static stride (f32 elements from one row
//    to the next), so that split, split_heads and merge_heads cost nothing. A
//    stride of 0 in a spec means "as many as there are columns".
//  - The last two operands are `thread` and `threads`: each thread does its share
//    and returns. Kernels hold no barrier; the caller puts one between a kernel
//    and the next one that reads what it wrote, or overwrites what it read.
//  - Results do not depend on `threads`, nor a row on the other rows; where the matrix
//    unit is used (`tiled`) on whether there are more than untiledRows or RLX_EXACT_TOKENS.
//  - `out` may be the same view as an input of elementwise kernels, rms_norm and
//    rope, and as the residual of linear and rms_norm; otherwise memory that is
//    written overlaps nothing.
//  - `sequences` points to rlx_sequence_t[batch] (rlx/runtime/abi.h).
//
//===----------------------------------------------------------------------===//
#ifndef RLX_KERNELS_KERNELSPECS_H
#define RLX_KERNELS_KERNELSPECS_H

#include "rlx/Target/TargetDescription.h"
#include "rlx/runtime/abi.h"
#include <cstdint>
#include <optional>
#include <vector>

namespace rlx {

/// How a linear kernel reads its activations. The integer formats are s8 blocks of 32:
/// per row K quants, K/32 f32 scales, then what offsets or minima of weights multiply.
enum class ActivationFormat {
  F32,       ///< rows of f32; no preparation needed unless there is a norm
  BF16,      ///< rows of bf16, padded with one zero to an even count
  BF16Tiles, ///< [rows/16][K/32][16][32] bf16, rows not written where there are none, K padded with
             ///< 0
  Int8,      ///< K/32 i32 sums of quants
  Int8Halves,   ///< K/16 i32 sums of quants
  Scaled,       ///< K/32 f32 sums of quants times scale
  ScaledHalves, ///< K/16 f32 sums of quants times scale
};

/// Calls with up to that many rows, which are prepared as `few`, do without the matrix unit, so
/// that a few tokens at a time give the same bits as one. With bf16 one token has the unit's bits.
constexpr int64_t untiledRows(ActivationFormat few) {
  return few == ActivationFormat::BF16 ? 1 : RLX_EXACT_TOKENS;
}

/// The multiplication that a kernel's inner loop consists of.
enum class DotProduct { F32, BF16, Int8, BF16Tiles };

/// How activations of this format are multiplied.
DotProduct dotProduct(ActivationFormat format);

/// Whether `target` multiplies weights of `format` in tiles (LinearSpec::tiled).
bool canTile(WeightFormat format, const TargetDescription &target);

/// What `format`'s linear kernel reads on `target`.
ActivationFormat activationFormat(WeightFormat format, const TargetDescription &target);

/// Bytes from one prepared row of K activations to the next; a multiple of 64. For BF16Tiles
/// the share of a row in its tiles.
int64_t preparedRowBytes(ActivationFormat format, int64_t k);

/// Bytes of a prepared buffer for `rows` rows: whole tiles.
int64_t preparedBytes(ActivationFormat format, int64_t k, int64_t rows);

/// Bytes of a packed weight in r16 panels, with its padding.
int64_t packedWeightBytes(WeightFormat format, int64_t n, int64_t k);

/// Element types of KV planes; the values are those of rlx_kv_type_t.
enum class KvType { F32 = 0, F16 = 1, BF16 = 2, Q8_0 = 3 };

/// Gain of an RMS norm: the stored weight w or 1 + w.
enum class NormGain { Plain, OnePlus };

/// What a product reads: rows of `format`; where `tiled`, BF16Tiles if there are more than
/// untiledRows(format).
struct PreparedFormat {
  ActivationFormat format = ActivationFormat::F32;
  bool tiled = false;
};

/// out[t, n] = epilogue(sum over k of a[t, k] * W[n, k]), epilogue = geglu, then
/// soft cap, then residual, each optional.
/// Operands: (weights, in, out, [residual if spec.residual], [screen if spec.screened], counter,
/// rows, thread, threads).
/// `counter` points to an i64 that is 0 before the first thread calls: threads claim
/// pieces of the work by counting it up.
/// `in` is a prepared buffer with rows of preparedRowBytes(activationFormat(…), k),
/// or, for ActivationFormat::F32 and where `generic`, any f32 view with rows of inStride.
struct LinearSpec {
  WeightFormat format = WeightFormat::F32;
  int64_t k = 0;        ///< input columns
  int64_t n = 0;        ///< output columns; with geglu the packed weight has 2 * ceil16(n) rows
  int64_t inStride = 0; ///< of f32 views only; of prepared rows: preparedRowBytes / 4
  int64_t outStride = 0;
  bool geglu = false; ///< panels alternate gate, up; out = gelu(gate) * up
  std::optional<double> cap;
  bool residual = false;
  int64_t residualStride = 0;
  /// The caller never passes more than one row: no code for tiles of tokens.
  bool singleRow = false;
  /// Where there are more than untiledRows rows, `in` is BF16Tiles and the matrix unit multiplies
  /// tiles of tokens by tiles of weights, both in bf16. Needs canTile and a prepared `in`.
  bool tiled = false;
  /// Outputs of panels whose upper bound in the memory `screen` (ScreenSpec) is below the threshold
  /// become -infinity. With singleRow only; without geglu and residual.
  bool screened = false;
  /// Scalar loops instead of tiles; `in` is f32 for every format.
  bool generic = false;
  /// The output is not f32 but a prepared buffer for a product with k = n, a multiple of 32, and
  /// without a norm. With geglu only; where `tiled`, the other product must be, too, with as many
  /// untiledRows.
  std::optional<PreparedFormat> prepared;
};

/// Finds which outputs of one row may be among the `top` greatest, by the outputs of a coarser copy
/// of the weight. First, the bounds of each panel of 16 outputs; operands:
/// (prepared, coarse, norms, screen, top, thread, threads) with `prepared` the activations in an
/// integer format, `coarse` the copy's outputs, of which no cap was taken, and `norms` [n][2] f32
/// (#rlx.residual_norms). Then the threshold; operands: (screen, top, thread, threads).
/// With `top` 0 every output is kept. `screen` is memory of screenBytes(n).
struct ScreenSpec {
  int64_t k = 0, n = 0;
  std::optional<double> cap; ///< of the exact outputs
};

/// The memory `screen`: an i32 threshold, then i32 upper bounds of panels, then lower ones.
constexpr int64_t kScreenUppers = 64;
constexpr int64_t screenLowers(int64_t n) { return kScreenUppers + (n + 255) / 256 * 64; }
constexpr int64_t screenBytes(int64_t n) { return screenLowers(n) + (n + 255) / 256 * 64; }

/// Rows for linear kernels: an RMS norm if `norm`, then conversion to the PreparedFormat.
/// Operands: (in, [gain if spec.norm], out, rows, thread, threads).
/// Skip it when format is F32 and there is no norm.
struct PrepareSpec : PreparedFormat {
  int64_t k = 0;
  int64_t inStride = 0;
  bool norm = false;
  double eps = 1e-6;
  NormGain gain = NormGain::Plain;
};

/// out = [residual +] x * rsqrt(mean(x^2) + eps) * gain over `columns`, for each of
/// `groups` consecutive groups of columns in a row (heads of a q or k norm).
/// Operands: (in, gain, out, [residual if spec.residual], rows, thread, threads).
struct RmsNormSpec {
  int64_t columns = 0;
  int64_t groups = 1;
  double eps = 1e-6;
  NormGain gain = NormGain::Plain;
  bool residual = false;
  int64_t inStride = 0, outStride = 0, residualStride = 0;
};

/// out[row] = scale * W[ids[row]].
/// Operands: (weights, out, sequences, batch, seq, thread, threads).
struct EmbeddingSpec {
  WeightFormat format = WeightFormat::F32;
  int64_t k = 0;
  double scale = 1.0;
  int64_t outStride = 0;
};

/// out[row] = cos(a_0 … a_{d-1}), sin(a_0 … a_{d-1}) with a_i = position * invFreq[i]
/// and position = past + the row's index in its sequence. Angles are reduced in f64
/// in turns, their cos and sin rounded once to f32. Rows have 2 * d columns, dense.
/// Operands: (out, sequences, batch, seq, thread, threads).
struct RopeAnglesSpec {
  std::vector<double> invFreq; ///< scaling already applied
};

/// Rotates pairs (i, i + ropeDim/2) of the first ropeDim features of each head; the
/// others are copied.
/// Operands: (in, angles, out, rows, thread, threads).
struct RopeSpec {
  int64_t heads = 0;
  int64_t headDim = 0;
  int64_t ropeDim = 0; ///< 0: headDim
  int64_t inStride = 0, outStride = 0;
};

/// Writes the step's keys (rotated if `rope`) and values into slot `slot` of each
/// sequence, at positions past … past + seq - 1.
/// Operands: (k, v, [angles if spec.rope], sequences, slot, batch, seq, thread, threads).
struct KvAppendSpec {
  int64_t kvHeads = 0;
  int64_t headDim = 0;
  KvType kvType = KvType::F32;
  bool rope = false;
  int64_t ropeDim = 0; ///< 0: headDim
  int64_t kStride = 0, vStride = 0;
};

/// Keys whose share of an attention row is computed apart from the others'. The bits of a
/// row depend on it.
constexpr int64_t kAttentionChunk = 128;

/// Most chunks in which the keys of one row lie that sees up to `keys` keys, of which a
/// window (0: none) leaves the last ones.
int64_t attentionChunks(int64_t keys, int64_t window);

/// Bytes of what a row's keys in one chunk contribute.
constexpr int64_t attentionChunkBytes(int64_t headDim) {
  return 128 + (headDim * 4 + 63) / 64 * 64;
}

/// Causal attention of the step's queries over slot `slot`, which already holds the
/// step's own keys. Query head h reads KV head h / (heads / kvHeads).
/// Operands: (q, out, sequences, counter, slot, batch, seq, thread, threads), `counter`
/// as in LinearSpec; with `chunks`,
/// `out` is memory [batch][heads][chunks][attentionChunkBytes], and a second kernel
/// makes rows of it: (memory, out, sequences, batch, thread, threads).
struct AttentionSpec {
  int64_t heads = 0;
  int64_t kvHeads = 0;
  int64_t headDim = 0;
  KvType kvType = KvType::F32;
  double scale = 1.0;
  std::optional<double> cap;
  int64_t window = 0; ///< keys seen, itself included; 0: all
  int64_t qStride = 0, outStride = 0;
  /// Not 0: seq is always 1, and work is shared by chunks too, of which there are no more.
  int64_t chunks = 0;
  /// Where there are more than RLX_EXACT_TOKENS rows, batch * seq, the matrix unit multiplies: each
  /// operand is the sum of two bf16, which have 16 bits together. Needs canTile.
  bool tiled = false;
  bool generic = false; ///< scalar loops instead of the streaming kernel
};

/// Whether `target` has code for a spec that is `tiled`.
bool canTile(const AttentionSpec &spec, const TargetDescription &target);

enum class ElementwiseKind { Add, Mul, Scale, Gelu, GeGlu, SoftCap, Copy };

/// Operands: (a, [b if binary: Add, Mul, GeGlu (a = gate, b = up)], out, rows, thread,
/// threads).
struct ElementwiseSpec {
  ElementwiseKind kind = ElementwiseKind::Copy;
  int64_t columns = 0;
  double value = 1.0; ///< Scale: the factor; SoftCap: the cap
  int64_t aStride = 0, bStride = 0, outStride = 0;
};

/// out[b * out_count + i] = in[b * seq + out_begin + i].
/// Operands: (in, out, batch, seq, out_begin, out_count, thread, threads).
struct SelectRowsSpec {
  int64_t columns = 0;
  int64_t inStride = 0, outStride = 0;
};

} // namespace rlx

#endif // RLX_KERNELS_KERNELSPECS_H
