//===- WeightReader.h - Multiply-accumulate by weight format ----*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The part of a linear kernel that depends on the weights' format: how far one step
// advances in K, and how a step adds to the accumulators of a tile. The layouts are
// those of rlx/Packing/Layouts.h.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_KERNELS_WEIGHTREADER_H
#define RLX_LIB_KERNELS_WEIGHTREADER_H

#include "KernelBuilder.h"
#include "llvm/Support/ErrorHandling.h"
#include <functional>
#include <memory>

namespace rlx {

class ByteUnit;

/// A register tile: tokens x panels.
struct Tile {
  llvm::SmallVector<mlir::Value> panels; ///< addresses of panels of 16 rows
  mlir::Value activations;               ///< row of the first token
  int64_t rowBytes = 0;                  ///< from one token's row to the next
  int64_t tokens = 0;
  /// Asks for weights that come after columns k … k + count - 1. Each step calls it for all of its
  /// columns, once or a few at a time: between products, memory keeps up better with those.
  std::function<void(mlir::Value k, int64_t count)> ahead = [](mlir::Value, int64_t) {};

  /// Accumulators are indexed token * panels.size() + panel.
  unsigned accumulators() const { return unsigned(tokens) * panels.size(); }
};

class WeightReader {
public:
  virtual ~WeightReader() = default;

  /// Positions of K that one step covers. Only the last step may cover fewer, and only
  /// in formats without blocks.
  virtual int64_t stepSize() const = 0;

  /// Address of panel `panel` of the weight at `weights`.
  virtual mlir::Value panel(KernelBuilder &b, mlir::Value weights, mlir::Value panel) const = 0;

  /// Adds positions k … k + count - 1 to the accumulators (vector<16xf32>).
  virtual void emitStep(KernelBuilder &b, const Tile &tile, mlir::Value k, int64_t count,
                        llvm::MutableArrayRef<mlir::Value> accumulators) const = 0;

  /// Parts of a step whose bytes are multiplied before anything else happens to them; 0 where there
  /// are no bytes.
  virtual int64_t byteParts() const { return 0; }

  /// emitStep by a matrix unit, for formats with byteParts: multiplies the bytes of a part of the
  /// step at `k`.
  virtual void emitByteProducts(KernelBuilder &, const Tile &, const ByteUnit &, mlir::Value /*k*/,
                                int64_t /*part*/) const {
    llvm_unreachable("no bytes");
  }

  /// Adds what the unit has stored of a part to `accumulators` in memory, [tokens][panels], for the
  /// first `tokens` of a tile of any number. The bits are emitStep's.
  virtual void emitByteSums(KernelBuilder &, const Tile &, const ByteUnit &, mlir::Value /*tokens*/,
                            mlir::Value /*k*/, int64_t /*part*/,
                            mlir::Value /*accumulators*/) const {
    llvm_unreachable("no bytes");
  }

  /// Writes positions k … k + count - 1 (k a multiple of 32, count at most 32) as a tile of bf16,
  /// [16 pairs of k][16 rows][2], to `out`. For formats that canTile.
  virtual void emitTile(KernelBuilder &b, mlir::Value panel, mlir::Value k, int64_t count,
                        mlir::Value out) const = 0;

  /// Element k of row `lane` of a panel, as an f32 scalar. For gathers.
  virtual mlir::Value emitElement(KernelBuilder &b, mlir::Value panel, mlir::Value lane,
                                  mlir::Value k) const = 0;
};

/// The reader of `format` for weights of k columns.
std::unique_ptr<WeightReader> createWeightReader(WeightFormat format, int64_t k,
                                                 const TargetDescription &target);

std::unique_ptr<WeightReader> createDenseReader(WeightFormat format, int64_t k,
                                                const TargetDescription &target);
std::unique_ptr<WeightReader> createBlockReader(WeightFormat format, int64_t k);

/// acc + the 16 dot products of four bytes: `weights` holds 16 rows x 4 k, `activations` (i32)
/// four s8. Weights are u8, or s8 if `isSigned`. Exact for all values of the formats.
mlir::Value emitDot4(KernelBuilder &b, mlir::Value acc, mlir::Value weights, bool isSigned,
                     mlir::Value activations);

/// acc + the 16 dot products of two bf16: `weights` holds 16 rows x 2 k, `activations` (i32) two
/// bf16. For targets with bf16Dot.
mlir::Value emitDot2(KernelBuilder &b, mlir::Value acc, mlir::Value weights,
                     mlir::Value activations);

/// Whether the target multiplies s8 by s8, so that q8_0 and codebooks need no offset.
bool dot4WantsSigned(const TargetDescription &target);

/// table[index] for vectors of 16 or 64 bytes below 16.
mlir::Value emitLookup(KernelBuilder &b, llvm::ArrayRef<int8_t> table, mlir::Value indices);

} // namespace rlx

#endif // RLX_LIB_KERNELS_WEIGHTREADER_H
