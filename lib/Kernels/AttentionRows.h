//===- AttentionRows.h - Query rows and what they see -----------*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What attention has in common with and without the matrix unit: where the rows of a
// KV head are, which keys they see, and what happens to a row's scores and sums.
//
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_KERNELS_ATTENTIONROWS_H
#define RLX_LIB_KERNELS_ATTENTIONROWS_H

#include "KernelBuilder.h"

namespace rlx {

/// The maximum before the first key: finite, so that its difference to itself is 0.
constexpr double kNoKey = -3.0e38;

// A chunk lies in one piece in the ring.
static_assert(kAttentionChunk % RLX_KV_CHUNK == 0 && RLX_KV_CHUNK % kAttentionChunk == 0);

/// One query row of an attention kernel.
struct QueryRow {
  mlir::Value query, out;  ///< addresses
  mlir::Value first, last; ///< absolute positions of the keys it sees, inclusive
};

/// Query heads that read one KV head.
inline int64_t groupSize(const AttentionSpec &spec) { return spec.heads / spec.kvHeads; }

/// The first position that a row sees which sees none after `last`.
mlir::Value firstSeen(KernelBuilder &b, const AttentionSpec &spec, mlir::Value last);

/// The row `number` = token * group + head of the group, of those that read KV head `head`. Numbers
/// past the end mean the last one.
QueryRow locateRow(KernelBuilder &b, const AttentionSpec &spec, mlir::Value sequence,
                   mlir::Value head, mlir::Value seq, mlir::Value number);

/// The final scores of 16 keys from position `base` on, for one row: scaled, capped, -infinity for
/// keys that it does not see.
mlir::Value emitMasked(KernelBuilder &b, const AttentionSpec &spec, mlir::Value score,
                       const QueryRow &row, mlir::Value base);

/// A row of zeros.
void emitZeros(KernelBuilder &b, int64_t columns, mlir::Value address);

/// out = total / sum, for a row of `headDim` outputs and a vector whose lanes make the sum.
void emitQuotient(KernelBuilder &b, int64_t headDim, mlir::Value total, mlir::Value sum,
                  mlir::Value out);

} // namespace rlx

#endif // RLX_LIB_KERNELS_ATTENTIONROWS_H
