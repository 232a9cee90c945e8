//===- ScreenConversion.cpp - Kernels that screen a linear's outputs ------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Before a linear op with `screen`: the products with the coarse copy, the bounds of
// each panel, the threshold. They do nothing in steps that need every output.
//
//===----------------------------------------------------------------------===//
#include "StepBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "rlx/Conversion/Scratch.h"
#include "rlx/Conversion/Weights.h"

using namespace mlir;
using namespace rlx;

FailureOr<View> StepBuilder::screenOutputs(LinearOp op, const View &in, const View &prepared,
                                           const LinearSpec &linear) {
  FailureOr<WeightOp> coarse = lookupWeight(op, op.getCoarseAttr());
  FailureOr<Value> data = getWeight(op, op.getCoarseAttr());
  FailureOr<Value> norms = getWeight(op, op.getNormsAttr());
  if (failed(coarse) || failed(data) || failed(norms))
    return failure();
  FailureOr<WeightFormat> format = getWeightFormat(*coarse);
  if (failed(format))
    return failure();
  if (in.maxRows != 1)
    return op.emitOpError("expected screen in steps of one output row only");
  const TargetDescription &target = kernels.getTarget();
  ScreenScratch scratch = getScreenScratch(op);
  ActivationFormat own = activationFormat(linear.format, target);
  ActivationFormat other = activationFormat(*format, target);
  FailureOr<View> activations = prepared;
  if (own != other)
    activations = prepareInput(op, in, other, linear, scratch.prepared);
  int64_t bytes = linear.n * static_cast<int64_t>(sizeof(float));
  FailureOr<View> outputs = getScratch(op, in, bytes, bytes, scratch.outputs);
  bytes = screenBytes(linear.n);
  FailureOr<View> screen = getScratch(op, in, bytes, bytes, scratch.screen);
  FailureOr<std::pair<Value, Region>> counter = takeCounter(op);
  if (failed(activations) || failed(outputs) || failed(screen) || failed(counter))
    return failure();

  LinearSpec product;
  product.format = *format;
  product.k = linear.k;
  product.n = linear.n;
  product.singleRow = true;
  // No row where every output is needed, or none.
  Value top = arith::MulIOp::create(builder, loc, step.top, in.rows);
  Value rows = arith::MinUIOp::create(builder, loc, top, getIndex(1));
  StageWork work;
  work.verb = "screen";
  work.format = weightFormatName(*format);
  work.shape = std::to_string(linear.k) + "x" + std::to_string(linear.n);
  work.probe = kernels.getProbe(dotProduct(other));
  work.weightBytes = *coarse->getSize();
  work.rowOperations = 2 * linear.k * linear.n;
  work.ofTop = true;
  if (failed(call(op, kernels.getLinear(product),
                  {*data, activations->pointer, outputs->pointer, counter->first, rows},
                  {{activations->region, counter->second}, {}, {outputs->region}}, work)))
    return failure();

  ScreenSpec spec;
  spec.k = linear.k;
  spec.n = linear.n;
  spec.cap = linear.cap;
  StageWork bounds;
  bounds.verb = "screen bounds";
  bounds.weightBytes = linear.n * 2 * static_cast<int64_t>(sizeof(float));
  bounds.ofTop = true;
  if (failed(call(op, kernels.getScreenBounds(spec),
                  {activations->pointer, outputs->pointer, *norms, screen->pointer, top},
                  {{activations->region, outputs->region}, {}, {screen->region}}, bounds)))
    return failure();
  StageWork select;
  select.verb = "screen select";
  select.ofTop = true;
  // It reads what it writes elsewhere in the same memory.
  if (failed(call(op, kernels.getScreenSelect(spec), {screen->pointer, top},
                  {{}, {screen->region}, {screen->region}}, select)))
    return failure();
  return screen;
}
