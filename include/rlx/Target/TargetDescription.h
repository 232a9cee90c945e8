//===- TargetDescription.h - What kernels are tuned for ---------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Describes a processor: what LLVM is told, which instructions the kernel builder
// may ask for by name, and the tile shapes that fill its registers.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_TARGET_TARGETDESCRIPTION_H
#define RLX_TARGET_TARGETDESCRIPTION_H

#include "rlx/Target/CodeGen.h"
#include "rlx/Target/WeightFormat.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <array>
#include <string>
#include <vector>

namespace rlx {

/// The instruction that multiplies groups of four 8-bit integers.
enum class Int8Dot {
  Generic,   ///< 32-bit multiplications
  Avx2,      ///< vpmaddubsw on |w| and sign(a, w), which cannot saturate
  Vnni256,   ///< vpdpbusd on 32 bytes
  Vnni512,   ///< vpdpbusd on 64 bytes
  NeonDot,   ///< sdot
  NeonUsdot, ///< usdot
};

/// Tokens x panels of 16 rows whose accumulators one tile keeps in registers.
struct TileShape {
  unsigned tokens = 1;
  unsigned panels = 1;
};

/// One CPU target.
struct TargetDescription {
  std::string name;     ///< e.g. "x86-64-v4+vnni"; for "native" what it resolved to.
  std::string triple;   ///< an ELF triple
  std::string cpu;      ///< LLVM's -mcpu
  std::string features; ///< LLVM's -mattr, e.g. "+avx512vnni,+avx512bf16"

  /// LLVM's names of the features that the code may use; a loader checks them.
  std::vector<std::string> requiredFeatures;

  unsigned vectorBits = 256; ///< widest register
  Int8Dot int8Dot = Int8Dot::Generic;

  /// bf16 weights are multiplied by activations rounded to bf16: by vdpbf16ps or, where `tiles`, in
  /// the matrix unit's order of sums. Otherwise the activations stay f32.
  bool bf16Dot = false;

  /// Prefill multiplies bf16 and quantised weights in AMX tiles, both operands rounded to bf16, and
  /// attends in them. A few tokens take the bytes of quantised weights in tiles, exactly.
  bool tiles = false;

  /// Panels that a product with one token reads side by side, each a stream of memory.
  unsigned rowStreams = 1;
  /// How many bytes ahead a stream of weights is prefetched; 0: the CPU does that better.
  unsigned prefetchBytes = 0;

  /// Conversions between f16 and f32 are instructions.
  bool f16Convert = false;

  /// Vectors that a product with many tokens accumulates, by weight format.
  std::array<TileShape, kWeightFormatCount> gemmTile = {};
  /// Query rows x vectors of 16 features that one attention tile accumulates.
  unsigned attentionRows = 4;
  unsigned attentionVectors = 1;

  TileShape gemmTileFor(WeightFormat format) const { return gemmTile[unsigned(format)]; }

  /// What LLVM's back end has to know.
  CodeGenOptions codeGenOptions() const;
};

/// Resolves a --target-cpu value: "native", a name of knownTargetNames(), or one of
/// those followed by "+vnni", "+bf16", "+amx" (x86-64-v4), "+avxvnni" (x86-64-v3),
/// "+dotprod", "+i8mm" (aarch64). "native-amx" is this machine without that feature; so with
/// the others. Tuning may follow after a ':' (rlx/Target/Tuning.h); the name of what is returned
/// does not have it.
llvm::Expected<TargetDescription> resolveTarget(llvm::StringRef name);

/// The names that resolveTarget accepts without a suffix, except "native".
std::vector<std::string> knownTargetNames();

} // namespace rlx

#endif // RLX_TARGET_TARGETDESCRIPTION_H
