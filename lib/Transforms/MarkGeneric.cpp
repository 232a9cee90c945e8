//===- MarkGeneric.cpp - Ops for the generic kernels ----------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Linears by weight and attention by KV slot -> rlx.generic.
//
//===----------------------------------------------------------------------===//
#include "ForwardFunctions.h"
#include "rlx/Conversion/Attributes.h"
#include "rlx/Transforms/Passes.h"
#include "llvm/Support/GlobPattern.h"

namespace rlx {
#define GEN_PASS_DEF_MARKGENERIC
#include "rlx/Transforms/Passes.h.inc"
} // namespace rlx

using namespace mlir;
using namespace rlx;

/// The name by which a profile calls an op; empty for ops with one kernel only.
static StringRef getProfileName(Operation *op) {
  if (auto linear = dyn_cast<LinearOp>(op))
    return linear.getWeight();
  if (auto attention = dyn_cast<CachedAttentionOp>(op))
    return attention.getSlot();
  if (auto attention = dyn_cast<AttentionOp>(op))
    if (auto read = attention.getKey().getDefiningOp<KVReadOp>())
      return read.getSlot();
  return {};
}

namespace {
struct MarkGeneric : rlx::impl::MarkGenericBase<MarkGeneric> {
  using MarkGenericBase::MarkGenericBase;

  void runOnOperation() override {
    FailureOr<SmallVector<func::FuncOp>> functions = getFunctions(getOperation(), role);
    if (failed(functions))
      return signalPassFailure();
    SmallVector<std::pair<StringRef, Operation *>> ops;
    for (func::FuncOp function : *functions)
      for (Operation &op : function.getOps())
        if (StringRef name = getProfileName(&op); !name.empty())
          ops.push_back({name, &op});
    for (const std::string &name : names)
      if (failed(mark(name, ops)))
        return signalPassFailure();
  }

private:
  LogicalResult mark(StringRef name, ArrayRef<std::pair<StringRef, Operation *>> ops) {
    llvm::Expected<llvm::GlobPattern> pattern = llvm::GlobPattern::create(name);
    if (!pattern)
      return getOperation().emitError("generic op '")
             << name << "': " << llvm::toString(pattern.takeError());
    bool found = false;
    for (auto [candidate, op] : ops)
      if (pattern->match(candidate)) {
        op->setAttr(kGenericAttr, UnitAttr::get(&getContext()));
        found = true;
      }
    if (found)
      return success();
    InFlightDiagnostic error = getOperation().emitError("expected 'generic_ops' to name linears by "
                                                        "their weight and attention by its KV slot")
                               << ", but no " << (role.empty() ? StringRef("op") : StringRef(role))
                               << (role.empty() ? "" : " op") << " has the name '" << name << "'";
    if (!ops.empty())
      error << "; there are '" << ops.front().first << "', '" << ops.back().first << "' and others";
    return error;
  }
};
} // namespace
