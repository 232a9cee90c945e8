//===- Tuning.h - Choices that only speed depends on ------------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Tiles and streams of linear kernels as text, which may follow the name of a target:
//
//   native:streams=4:prefetch=4096:tile=6x2:dense=12x2
//
//   streams   panels that a product with one token reads side by side, 1 to 8
//   prefetch  how many bytes ahead a stream is prefetched, 0 to 65536; 0: not at all
//   tile      tokens x panels of a product with quantised weights, up to 16 x 4; an error where a
//             matrix unit multiplies these, in tiles of its own
//   dense     the same for f32, f16 and bf16
//
// Results do not depend on them.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_TARGET_TUNING_H
#define RLX_TARGET_TUNING_H

#include "rlx/Target/TargetDescription.h"

namespace rlx {

/// Sets what `text` ("streams=4:tile=6x2") names; an error names what is unknown, or what
/// the target has no use for.
llvm::Error applyTuning(TargetDescription &target, llvm::StringRef text);

/// All choices that `target` has, in the form above.
std::string describeTuning(const TargetDescription &target);

} // namespace rlx

#endif // RLX_TARGET_TUNING_H
