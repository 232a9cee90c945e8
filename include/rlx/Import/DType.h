//===- DType.h - Element types of checkpoint tensors ------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The element types that checkpoints store, with their block sizes, by name.
//===----------------------------------------------------------------------===//
#ifndef RLX_IMPORT_DTYPE_H
#define RLX_IMPORT_DTYPE_H

#include "rlx/Target/WeightFormat.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>

namespace rlx {

/// Element types that RLX reads. `Unsupported` stands for every type that a
/// container may legally hold but that RLX cannot decode; the tensor keeps its
/// name, and using it is an error that names the type.
enum class DType : uint8_t {
  F32,
  F16,
  BF16,
  Q8_0,
  Q4_0,
  Q4_1,
  Q5_0,
  Q5_1,
  Q2_K,
  Q3_K,
  Q4_K,
  Q5_K,
  Q6_K,
  IQ4_NL,
  IQ4_XS,
  Unsupported
};

/// Types are numbered as the formats of packed weights that keep them as they are.
static_assert(unsigned(DType::Unsupported) == kWeightFormatCount);
constexpr WeightFormat formatOf(DType type) { return static_cast<WeightFormat>(type); }
constexpr DType dtypeOf(WeightFormat format) { return static_cast<DType>(format); }

/// Storage of one element type: `blockElements` consecutive elements of a row
/// take `blockBytes` bytes (1 element a block for the float types).
struct DTypeInfo {
  llvm::StringLiteral name; ///< lower case, as `!rlx.quant<q8_0>` spells it
  unsigned blockElements;
  unsigned blockBytes;
};

/// `type` must not be Unsupported.
const DTypeInfo &getDTypeInfo(DType type);

inline bool isQuantized(DType type) {
  return type != DType::Unsupported && isQuantized(formatOf(type));
}

/// The type spelled `name` (any case), if RLX reads it.
std::optional<DType> parseDType(llvm::StringRef name);

/// A type as a container format names it: a supported one, or one that is only
/// known by name and size.
struct StorageType {
  DType type;
  llvm::StringRef name; ///< as the format spells it, e.g. "Q2_K", "I64"
  unsigned blockElements;
  unsigned blockBytes;
};

/// The type with number `id` in a GGUF file; none for an unknown number.
std::optional<StorageType> lookUpGgmlType(uint32_t id);

/// The type spelled `name` in a safetensors header; none for an unknown name.
std::optional<StorageType> lookUpSafetensorsType(llvm::StringRef name);

} // namespace rlx

#endif // RLX_IMPORT_DTYPE_H
