//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Verifiers and folders of the ops that cut, join or select.

#include "Verification.h"

using namespace mlir;
using namespace rlx;

// split_c1: leading sizes; split_c2: columns.
LogicalResult SplitOp::verify() {
  FailureOr<int64_t> columns = getLastSize(*this, "input", getInput().getType());
  if (failed(columns))
    return failure();
  int64_t sum = 0;
  for (Value piece : getPieces()) {
    FailureOr<int64_t> size = getLastSize(*this, "piece", piece.getType());
    if (failed(size))
      return failure();
    Sizes expected = getSizes(getInput().getType());
    expected.back() = std::to_string(*size);
    if (failed(verifySizes(*this, "piece", piece.getType(), expected)))
      return failure();
    sum += *size;
  }
  if (sum != *columns)
    return emitOpError("expected pieces to sum to ") << *columns << " columns but got " << sum;
  return success();
}

LogicalResult SplitOp::fold(FoldAdaptor, SmallVectorImpl<OpFoldResult> &results) {
  if (getPieces().size() != 1)
    return failure();
  results.push_back(getInput());
  return success();
}

// split_heads_c1: ranks; split_heads_c2: leading sizes; split_heads_c3: columns.
LogicalResult SplitHeadsOp::verify() {
  if (failed(verifyRank(*this, "input", getInput().getType(), 3)))
    return failure();
  int64_t sum = 0;
  for (Value heads : getHeads()) {
    if (failed(verifyRank(*this, "result", heads.getType(), 4)))
      return failure();
    Sizes expected = getSizes(heads.getType()), input = getSizes(getInput().getType());
    std::copy(input.begin(), input.begin() + 2, expected.begin());
    if (failed(verifySizes(*this, "result", heads.getType(), expected)))
      return failure();
    auto type = cast<RankedTensorType>(heads.getType());
    sum += type.getDimSize(2) * type.getDimSize(3);
  }
  int64_t columns = cast<RankedTensorType>(getInput().getType()).getDimSize(2);
  if (sum != columns)
    return emitOpError("expected heads to sum to ") << columns << " columns but got " << sum;
  return success();
}

// merge_heads_c1: rank; merge_heads_c2: result.
LogicalResult MergeHeadsOp::verify() {
  auto type = cast<RankedTensorType>(getInput().getType());
  if (failed(verifyRank(*this, "input", type, 4)))
    return failure();
  Sizes expected = getSizes(type);
  expected.resize(2);
  expected.push_back(std::to_string(type.getDimSize(2) * type.getDimSize(3)));
  return verifySizes(*this, "result", getResult().getType(), expected);
}

OpFoldResult MergeHeadsOp::fold(FoldAdaptor) {
  auto split = getInput().getDefiningOp<SplitHeadsOp>();
  if (split && split.getHeads().size() == 1 && split.getInput().getType() == getType())
    return split.getInput();
  return {};
}

// select_rows_c1: rank; select_rows_c2: result.
LogicalResult SelectRowsOp::verify() {
  if (failed(verifyRank(*this, "input", getInput().getType(), 3)) ||
      failed(verifyRank(*this, "result", getResult().getType(), 3)))
    return failure();
  Sizes expected = getSizes(getInput().getType());
  expected[1] = getSizes(getResult().getType())[1];
  return verifySizes(*this, "result", getResult().getType(), expected);
}
