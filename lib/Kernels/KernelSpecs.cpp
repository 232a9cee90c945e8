//===- KernelSpecs.cpp - Sizes that follow from specs ---------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Buffer sizes that callers of kernels have to provide.
//
//===----------------------------------------------------------------------===//
#include "rlx/Kernels/KernelSpecs.h"
#include "KernelBuilder.h"
#include "llvm/Support/MathExtras.h"

using namespace rlx;

bool rlx::canTile(WeightFormat format, const TargetDescription &target) {
  return target.tiles && (isQuantized(format) || format == WeightFormat::BF16);
}

// Of more features few rows would fit the stack that a step may take.
static constexpr int64_t kMostTiledFeatures = 512;

// Whoever keeps keys and values in f32 wants no less of the products.
bool rlx::canTile(const AttentionSpec &spec, const TargetDescription &target) {
  return target.tiles && spec.kvType != KvType::F32 && spec.headDim % kTileDepth == 0 &&
         spec.headDim <= kMostTiledFeatures;
}

ActivationFormat rlx::activationFormat(WeightFormat format, const TargetDescription &target) {
  if (isQuantized(format)) {
    const BlockFormat &blocks = blockFormat(format);
    bool halves = blocks.groupColumns == 16;
    if (blocks.minima)
      return halves ? ActivationFormat::ScaledHalves : ActivationFormat::Scaled;
    return halves ? ActivationFormat::Int8Halves : ActivationFormat::Int8;
  }
  return format == WeightFormat::BF16 && target.bf16Dot ? ActivationFormat::BF16
                                                        : ActivationFormat::F32;
}

DotProduct rlx::dotProduct(ActivationFormat format) {
  switch (format) {
  case ActivationFormat::F32:
    return DotProduct::F32;
  case ActivationFormat::BF16:
    return DotProduct::BF16;
  case ActivationFormat::BF16Tiles:
    return DotProduct::BF16Tiles;
  case ActivationFormat::Int8:
  case ActivationFormat::Int8Halves:
  case ActivationFormat::Scaled:
  case ActivationFormat::ScaledHalves:
    return DotProduct::Int8;
  }
  llvm_unreachable("unknown format of activations");
}

int64_t rlx::preparedRowBytes(ActivationFormat format, int64_t k) {
  switch (format) {
  case ActivationFormat::F32:
    return llvm::alignTo(k * 4, 64);
  case ActivationFormat::BF16:
  case ActivationFormat::BF16Tiles:
    return llvm::alignTo(k * 2, 64);
  case ActivationFormat::Int8:
  case ActivationFormat::Scaled:
    return llvm::alignTo(k + k / 32 * 8, 64);
  case ActivationFormat::Int8Halves:
  case ActivationFormat::ScaledHalves:
    return llvm::alignTo(k + k / 32 * 12, 64);
  }
  llvm_unreachable("unknown activation format");
}

int64_t rlx::preparedBytes(ActivationFormat format, int64_t k, int64_t rows) {
  if (format == ActivationFormat::BF16Tiles)
    rows = llvm::alignTo(rows, kTileRows);
  return rows * preparedRowBytes(format, k);
}

int64_t rlx::attentionChunks(int64_t keys, int64_t window) {
  if (window && window < keys)
    return std::min((window - 2) / kAttentionChunk + 2, ceilDiv(keys, kAttentionChunk));
  return ceilDiv(keys, kAttentionChunk);
}

int64_t rlx::packedWeightBytes(WeightFormat format, int64_t n, int64_t k) {
  int64_t rows = llvm::alignTo(n, kLanes);
  switch (format) {
  case WeightFormat::F32:
    return rows * k * 4;
  case WeightFormat::F16:
    return rows * k * 2;
  case WeightFormat::BF16:
    return rows * ceilDiv(k, 2) * 4;
  default:
    return rows / kLanes * blockFormat(format).panelBytes(k);
  }
}
