//===- RLXOps.td - all RLX ops -----------------------------*- tablegen -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Umbrella of the op families.

#ifndef RLX_IR_RLXOPS_TD
#define RLX_IR_RLXOPS_TD

include "rlx/IR/RLXAttributes.td"
include "rlx/IR/RLXTypes.td"
include "rlx/IR/RLXSymbolOps.td"
include "rlx/IR/RLXTensorOps.td"
include "rlx/IR/RLXViewOps.td"
include "rlx/IR/RLXRopeOps.td"
include "rlx/IR/RLXCacheOps.td"

#endif // RLX_IR_RLXOPS_TD
