//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Verifiers of positions, angles and rotation.

#include "Verification.h"

#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace rlx;

// positions_c1: rank; positions_c2: sizes of the ids.
LogicalResult PositionsOp::verify() {
  if (failed(verifyRank(*this, "result", getResult().getType(), 2)))
    return failure();
  RankedTensorType ids = getForwardIds(*this);
  return ids ? verifySizes(*this, "result", getResult().getType(), getSizes(ids)) : success();
}

// rope_angles_c1: rank; rope_angles_c2: result.
LogicalResult RopeAnglesOp::verify() {
  if (failed(verifyRank(*this, "positions", getPositions().getType(), 2)))
    return failure();
  Sizes expected = getSizes(getPositions().getType());
  expected.push_back("2");
  expected.push_back(std::to_string(getRope().getDim() / 2));
  return verifySizes(*this, "result", getResult().getType(), expected);
}

// rope_c1: input and result; rope_c2 and rope_c3: angles.
LogicalResult RopeOp::verify() {
  Sizes sizes = getSizes(getInput().getType());
  if (failed(verifyRank(*this, "input", getInput().getType(), 4)) ||
      failed(verifySizes(*this, "result", getResult().getType(), sizes)))
    return failure();
  return verifyAngles(*this, getAngles().getType(), getInput().getType());
}
