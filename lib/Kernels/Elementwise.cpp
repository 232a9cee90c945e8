//===- Elementwise.cpp - Elementwise kernels and copies of rows -----------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels that treat each element alone.
//
//===----------------------------------------------------------------------===//
#include "Emitters.h"
#include "VectorMath.h"

using namespace mlir;
using namespace rlx;

bool rlx::isBinary(ElementwiseKind kind) {
  return kind == ElementwiseKind::Add || kind == ElementwiseKind::Mul ||
         kind == ElementwiseKind::GeGlu;
}

static Value emitValue(KernelBuilder &b, const ElementwiseSpec &spec, Value x, Value y) {
  switch (spec.kind) {
  case ElementwiseKind::Add:
    return b.addf(x, y);
  case ElementwiseKind::Mul:
    return b.mulf(x, y);
  case ElementwiseKind::Scale:
    return b.mulf(x, b.constant(x.getType(), spec.value));
  case ElementwiseKind::Gelu:
    return emitGelu(b, x);
  case ElementwiseKind::GeGlu:
    return b.mulf(emitGelu(b, x), y);
  case ElementwiseKind::SoftCap:
    return emitSoftCap(b, x, spec.value);
  case ElementwiseKind::Copy:
    return x;
  }
  llvm_unreachable("unknown elementwise kind");
}

void rlx::emitElementwise(KernelBuilder &b, const ElementwiseSpec &spec) {
  bool binary = isBinary(spec.kind);
  Value out = b.arg(binary ? 2 : 1), rows = b.arg(binary ? 3 : 2);
  auto address = [&](Value base, Value row, int64_t stride, Value column) {
    return b.at(b.at(base, row, stride * 4), column, 4);
  };
  b.forTiles(rows, spec.columns, [&](Value row, Value column, int64_t lanes) {
    Value x = b.load(b.vf(lanes), address(b.arg(0), row, spec.aStride, column));
    Value y;
    if (binary)
      y = b.load(b.vf(lanes), address(b.arg(1), row, spec.bStride, column));
    b.store(emitValue(b, spec, x, y), address(out, row, spec.outStride, column));
  });
}

void rlx::emitSelectRows(KernelBuilder &b, const SelectRowsSpec &spec) {
  Value batch = b.arg(2), seq = b.arg(3), first = b.arg(4), count = b.arg(5);
  b.forTiles(b.mul(batch, count), spec.columns, [&](Value row, Value column, int64_t lanes) {
    Value sequence = b.div(row, count);
    Value source = b.add(b.mul(sequence, seq), b.add(first, b.rem(row, count)));
    Value in = b.at(b.at(b.arg(0), source, spec.inStride * 4), column, 4);
    Value out = b.at(b.at(b.arg(1), row, spec.outStride * 4), column, 4);
    b.store(b.load(b.vf(lanes), in), out);
  });
}
