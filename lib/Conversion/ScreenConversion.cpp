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

FailureOr<StepBuilder::CoarseOutputs> StepBuilder::multiplyCoarse(LinearOp op, const View &in,
                                                                  const View &prepared,
                                                                  const LinearSpec &linear,
                                                                  Value top) {
  FailureOr<WeightOp> coarse = lookupWeight(op, op.getCoarseAttr());
  FailureOr<Value> data = getWeight(op, op.getCoarseAttr());
  if (failed(coarse) || failed(data))
    return failure();
  FailureOr<WeightFormat> format = getWeightFormat(*coarse);
  if (failed(format))
    return failure();
  ActivationFormat own = activationFormat(linear.format, kernels.getTarget());
  ActivationFormat other = activationFormat(*format, kernels.getTarget());
  // The bounds hold for products of the same activations.
  if (dotProduct(own) != DotProduct::Int8 || dotProduct(other) != DotProduct::Int8)
    return op.emitOpError("expected screen with quantised weights only");
  ScreenScratch scratch = getScreenScratch(op);
  FailureOr<View> activations = prepared;
  if (own != other)
    activations = prepareInput(op, in, other, linear, scratch.prepared);
  int64_t bytes = linear.n * static_cast<int64_t>(sizeof(float));
  FailureOr<View> outputs = getScratch(op, in, bytes, bytes, scratch.outputs);
  FailureOr<std::pair<Value, Region>> counter = takeCounter(op);
  if (failed(activations) || failed(outputs) || failed(counter))
    return failure();
  LinearSpec product;
  product.format = *format;
  product.k = linear.k;
  product.n = linear.n;
  product.singleRow = true;
  // No row where every output is needed, or none.
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
  return CoarseOutputs{*activations, *outputs};
}

FailureOr<View> StepBuilder::screenOutputs(LinearOp op, const View &in, const View &prepared,
                                           const LinearSpec &linear) {
  if (in.maxRows != 1)
    return op.emitOpError("expected screen in steps of one output row only");
  Value top = arith::MulIOp::create(builder, loc, step.top, in.rows);
  FailureOr<CoarseOutputs> coarse = multiplyCoarse(op, in, prepared, linear, top);
  FailureOr<Value> norms = getWeight(op, op.getNormsAttr());
  if (failed(coarse) || failed(norms))
    return failure();
  int64_t bytes = screenBytes(linear.n);
  FailureOr<View> screen = getScratch(op, in, bytes, bytes, getScreenScratch(op).screen);
  if (failed(screen))
    return failure();
  ScreenSpec spec;
  spec.k = linear.k;
  spec.n = linear.n;
  spec.cap = linear.cap;
  StageWork bounds;
  bounds.verb = "screen bounds";
  bounds.weightBytes = linear.n * 2 * static_cast<int64_t>(sizeof(float));
  bounds.ofTop = true;
  if (failed(call(
          op, kernels.getScreenBounds(spec),
          {coarse->activations.pointer, coarse->outputs.pointer, *norms, screen->pointer, top},
          {{coarse->activations.region, coarse->outputs.region}, {}, {screen->region}}, bounds)))
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
