//===- Probes.cpp - Loops at the peak of a product ------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The instruction of a linear kernel with nothing around it: one panel's vector
// against several tokens whose activations stay in registers.
//
//===----------------------------------------------------------------------===//
#include "Emitters.h"
#include "MatrixUnit.h"
#include "VectorMath.h"
#include "WeightReader.h"
#include "rlx/runtime/abi.h"

using namespace mlir;
using namespace rlx;

// Vectors of weights in one round, and rounds until they come again: with the same ones in each
// round a product could be moved out of the loop.
static constexpr int64_t kVectors = 4, kRounds = 8;
static constexpr int64_t kVectorBytes = 64;
static constexpr int64_t kActivations = kRounds * kVectors * kVectorBytes;
static constexpr int64_t kResults = kActivations + kVectorBytes;

/// Accumulators enough to hide the latency of the product, few enough for the registers.
static int64_t probeTokens(const TargetDescription &target) {
  return target.vectorBits == 512 ? 12 : 4;
}

/// Products in one 32-bit lane of a vector.
static int64_t productsOfLane(DotProduct product) {
  return product == DotProduct::F32 ? 1 : product == DotProduct::BF16 ? 2 : 4;
}

// Products of tiles in one round: enough to hide the latency of each.
static constexpr int64_t kTileProducts = MatrixUnit::kSide * MatrixUnit::kSide;

int64_t rlx::probeOperations(DotProduct product, const TargetDescription &target) {
  if (product == DotProduct::BF16Tiles)
    return 2 * kTileProducts * kTileRows * kLanes * kTileDepth;
  return 2 * productsOfLane(product) * kLanes * kVectors * probeTokens(target);
}

static Value emitProduct(KernelBuilder &b, DotProduct product, Value acc, Value address,
                         Value activation) {
  switch (product) {
  case DotProduct::F32:
    return b.fma(b.load(b.vf(), address), b.splat(activation, b.vf()), acc);
  case DotProduct::BF16:
    if (b.getTarget().tiles) { // as TileOrderReader
      auto [even, odd] = emitFromBF16Pairs(b, b.load(b.vec(b.i32()), address));
      auto [a0, a1] = emitFromBF16Pairs(b, b.splat(activation, b.vec(b.i32())));
      return b.fma(odd, a1, b.fma(even, a0, acc));
    }
    return emitDot2(b, acc, b.load(b.vec(b.getBF16Type(), 2 * kLanes), address), activation);
  case DotProduct::Int8:
    return emitDot4(b, acc, b.load(b.vec(b.getI8Type(), 4 * kLanes), address), /*isSigned=*/false,
                    activation);
  case DotProduct::BF16Tiles:
    break; // emitTileProbe
  }
  llvm_unreachable("unknown product");
}

/// The matrix unit with two tiles of tokens and two of weights.
static void emitTileProbe(KernelBuilder &b) {
  static_assert(kTileBytes <= kActivations && kResults + kTileBytes <= RLX_PROBE_BYTES);
  constexpr int64_t side = MatrixUnit::kSide;
  MatrixUnit unit(b);
  unit.configure(b.index(MatrixUnit::kTokens));
  auto forPairs = [&](llvm::function_ref<void(int64_t, int64_t)> body) {
    for (int64_t i = 0; i < kTileProducts; ++i)
      body(i / side, i % side);
  };
  for (int64_t i = 0; i < side; ++i) {
    unit.loadTokens(i, b.arg(0));
    unit.loadPanel(i, b.arg(0));
  }
  b.forEach(b.index(0), b.arg(1), 1, [&](Value) {
    forPairs([&](int64_t tokens, int64_t panel) { unit.multiply(tokens, panel); });
  });
  forPairs([&](int64_t tokens, int64_t panel) {
    unit.storeSums(tokens, panel, b.at(b.arg(0), kResults), kTileRowBytes);
  });
  unit.release();
}

void rlx::emitProbe(KernelBuilder &b, DotProduct product) {
  if (product == DotProduct::BF16Tiles)
    return emitTileProbe(b);
  const int64_t tokens = probeTokens(b.getTarget());
  static_assert(kResults + 12 * kVectorBytes <= RLX_PROBE_BYTES);
  Value memory = b.arg(0);
  Type word = product == DotProduct::F32 ? b.f32() : b.i32();
  Type lanes = product == DotProduct::Int8 ? b.vec(b.i32()) : b.vf();
  KernelBuilder::Values activations, initial;
  for (int64_t token = 0; token < tokens; ++token) {
    activations.push_back(b.load(word, memory, kActivations + token * 4));
    initial.push_back(b.load(lanes, memory, kResults + token * kVectorBytes));
  }
  auto round = [&](Value i, ValueRange carried) {
    Value weights = b.at(memory, b.rem(i, kRounds), kVectors * kVectorBytes);
    KernelBuilder::Values accumulators(carried);
    for (int64_t vector = 0; vector < kVectors; ++vector)
      for (auto [acc, activation] : llvm::zip(accumulators, activations))
        acc = emitProduct(b, product, acc, b.at(weights, vector * kVectorBytes), activation);
    return accumulators;
  };
  KernelBuilder::Values sums = b.forEach(b.index(0), b.arg(1), 1, initial, round);
  for (auto [token, sum] : llvm::enumerate(sums))
    b.store(sum, memory, kResults + int64_t(token) * kVectorBytes);
}
