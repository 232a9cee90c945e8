//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// The RLX dialect: types, attributes and ops, and helpers over its symbols.

#ifndef RLX_IR_RLXOPS_H
#define RLX_IR_RLXOPS_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "rlx/IR/RLXTraits.h"

#include "rlx/IR/RLXDialect.h.inc"
#include "rlx/IR/RLXEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "rlx/IR/RLXAttributes.h.inc"
#define GET_TYPEDEF_CLASSES
#include "rlx/IR/RLXTypes.h.inc"
#define GET_OP_CLASSES
#include "rlx/IR/RLXOps.h.inc"

namespace rlx {

/// The #rlx.dims of a tensor type, or null where it has none.
DimsAttr getDims(mlir::Type type);

/// A tensor type whose shape and encoding are `dims`.
mlir::RankedTensorType getTensorType(DimsAttr dims, mlir::Type elementType);

/// The declaration of `symbol` that holds at `op`: the enclosing function's
/// where it narrows the symbol, else the module's, else null.
SymbolAttr lookupSymbol(mlir::Operation *op, mlir::StringAttr symbol);

/// Number of elements of a tensor when each symbol takes the largest value that
/// its range allows at `op`; nullopt where a symbol is not declared or the number
/// overflows.
std::optional<int64_t> getMaxElements(mlir::Operation *op, mlir::RankedTensorType type);

} // namespace rlx

#endif // RLX_IR_RLXOPS_H
