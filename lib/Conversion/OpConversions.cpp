//===- OpConversions.cpp - Kernels of the ops on activations --------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Says for each op which kernel computes it and what that touches. Ops on the
// cache are in CacheOpConversions.cpp.
//
//===----------------------------------------------------------------------===//
#include "StepBuilder.h"
#include "rlx/Conversion/Attributes.h"
#include "rlx/Conversion/Weights.h"

using namespace mlir;
using namespace rlx;

static NormGain getNormGain(GainConvention gain) {
  return gain == GainConvention::OnePlus ? NormGain::OnePlus : NormGain::Plain;
}

LogicalResult StepBuilder::convert(EmbeddingOp op) {
  FailureOr<WeightOp> weight = lookupWeight(op, op.getWeightAttr());
  FailureOr<Value> data = getWeight(op, op.getWeightAttr());
  if (failed(weight) || failed(data))
    return failure();
  FailureOr<WeightFormat> format = getWeightFormat(*weight);
  FailureOr<View> out = makeResult(op->getResult(0), getStepRows());
  if (failed(format) || failed(out))
    return failure();
  EmbeddingSpec spec;
  spec.format = *format;
  spec.k = weight->getTensorType().getDimSize(1);
  spec.scale = op.getScale().convertToFloat();
  StageWork work;
  work.format = weightFormatName(*format);
  work.rowBytes = *weight->getSize() / weight->getTensorType().getDimSize(0);
  return call(op, kernels.getEmbedding(spec),
              {*data, out->pointer, step.sequences, step.batch, step.seq}, {{}, {}, {out->region}},
              work);
}

LogicalResult StepBuilder::convert(RmsNormOp op) {
  FailureOr<Value> gain = getWeight(op, op.getWeightAttr());
  FailureOr<View> in = getView(op, op.getInput());
  if (failed(gain) || failed(in))
    return failure();
  RmsNormSpec spec;
  spec.columns = op.getInput().getType().getShape().back();
  spec.groups = getColumns(op.getInput()) / spec.columns;
  spec.eps = op.getEps().convertToFloat();
  spec.gain = getNormGain(op.getGain());
  spec.inStride = in->getStride();
  FailureOr<View> out = makeResult(op->getResult(0), *in);
  if (failed(out))
    return failure();
  SmallVector<Value> operands = {in->pointer, *gain, out->pointer};
  Accesses accesses{{}, {in->region}, {out->region}};
  if (Value residual = op.getResidual()) {
    FailureOr<View> added = getView(op, residual);
    if (failed(added))
      return failure();
    spec.residual = true;
    spec.residualStride = added->getStride();
    operands.push_back(added->pointer);
    accesses.inPlace.push_back(added->region);
  }
  operands.push_back(in->rows);
  return call(op, kernels.getRmsNorm(spec), operands, accesses);
}

FailureOr<View> StepBuilder::getScratch(Operation *op, const View &rows, int64_t rowBytes,
                                        int64_t bytes, int64_t begin) {
  auto scratch = op->getAttrOfType<IntegerAttr>(kScratchAttr);
  if (!scratch) {
    op->emitOpError("expected the attribute ") << kScratchAttr << "; run memory planning before";
    return failure();
  }
  if (failed(checkPlace(op, scratch.getInt(), begin + bytes)))
    return failure();
  int64_t offset = scratch.getInt() + begin;
  View view = rows;
  view.pointer = offsetPointer(builder, loc, step.workspace, offset);
  view.region = {Region::Space::Workspace, offset, offset + bytes, rowBytes, 0, rowBytes};
  return view;
}

FailureOr<View> StepBuilder::prepareInput(LinearOp op, const View &in, ActivationFormat activation,
                                          const LinearSpec &linear, int64_t scratch) {
  if (activation == ActivationFormat::F32 && !op.getNorm() && !linear.tiled)
    return in;
  int64_t rowBytes = preparedRowBytes(activation, linear.k), bytes = in.maxRows * rowBytes;
  if (linear.tiled)
    bytes = std::max(untiledRows(activation) * rowBytes,
                     preparedBytes(ActivationFormat::BF16Tiles, linear.k, in.maxRows));
  FailureOr<View> prepared = getScratch(op, in, rowBytes, bytes, scratch);
  if (failed(prepared))
    return failure();
  PrepareSpec spec;
  spec.format = activation;
  spec.k = linear.k;
  spec.tiled = linear.tiled;
  spec.inStride = in.getStride();
  SmallVector<Value> operands = {in.pointer};
  if (FlatSymbolRefAttr norm = op.getNormAttr()) {
    FailureOr<Value> gain = getWeight(op, norm);
    if (failed(gain))
      return failure();
    spec.norm = true;
    spec.eps = op.getEps()->convertToFloat();
    operands.push_back(*gain);
  }
  operands.append({prepared->pointer, in.rows});
  StageWork work;
  work.verb = "prepare";
  work.shape = std::to_string(linear.k);
  if (failed(call(op, kernels.getPrepare(spec), operands, {{in.region}, {}, {prepared->region}},
                  work)))
    return failure();
  return prepared;
}

FailureOr<StepBuilder::Product> StepBuilder::getProduct(LinearOp op, int64_t maxRows) {
  FailureOr<WeightOp> weight = lookupWeight(op, op.getWeightAttr());
  if (failed(weight))
    return failure();
  FailureOr<WeightFormat> format = getWeightFormat(*weight);
  if (failed(format))
    return failure();
  Product product{*weight, *format, {}};
  if (op->hasAttr(kGenericAttr))
    return product;
  const TargetDescription &target = kernels.getTarget();
  product.reads.format = activationFormat(*format, target);
  product.reads.tiled =
      op.isOfPrompt() && maxRows > untiledRows(product.reads.format) && canTile(*format, target);
  return product;
}

FailureOr<std::optional<PreparedFormat>>
StepBuilder::getPreparedResult(LinearOp op, const LinearSpec &spec, int64_t maxRows) {
  std::optional<PreparedFormat> none;
  Value result = op.getResult();
  if (!spec.geglu || spec.generic || spec.residual || spec.n % kQuantBlock ||
      outputs.contains(result) || !result.hasOneUse())
    return none;
  auto reader = dyn_cast<LinearOp>(*result.user_begin());
  if (!reader || reader.getInput() != result || reader.getNorm() || reader.getCoarse())
    return none;
  FailureOr<Product> product = getProduct(reader, maxRows);
  if (failed(product))
    return failure();
  PreparedFormat reads = product->reads;
  if ((reads.format == ActivationFormat::F32 || spec.tiled) && !reads.tiled)
    return none;
  // A matrix unit's product writes tiles only, which the next one has to read just as often.
  ActivationFormat own = activationFormat(spec.format, kernels.getTarget());
  if (spec.tiled && untiledRows(own) != untiledRows(reads.format))
    return none;
  // Tiles of less than half as many rows as they could have would take more than f32 does.
  if (reads.tiled &&
      preparedBytes(ActivationFormat::BF16Tiles, spec.n, maxRows) > maxRows * spec.n * 4)
    return none;
  return std::optional(reads);
}

LogicalResult StepBuilder::convert(LinearOp op) {
  FailureOr<View> input = getView(op, op.getInput());
  FailureOr<Value> data = getWeight(op, op.getWeightAttr());
  if (failed(input) || failed(data))
    return failure();
  FailureOr<Product> product = getProduct(op, input->maxRows);
  if (failed(product))
    return failure();
  WeightOp weight = product->weight;
  LinearSpec spec;
  spec.format = product->format;
  spec.k = weight.getTensorType().getDimSize(1);
  spec.n = getColumns(op.getResult());
  spec.geglu = op.getGeglu();
  if (op.getCap())
    spec.cap = op.getCap()->convertToFloat();
  spec.generic = op->hasAttr(kGenericAttr);
  spec.tiled = product->reads.tiled;
  ActivationFormat activation = product->reads.format;
  FailureOr<View> in = input;
  if (!preparedResults.contains(op.getInput()))
    in = prepareInput(op, *input, activation, spec);
  if (failed(in))
    return failure();
  spec.inStride = in->getStride();
  spec.singleRow = in->maxRows == 1;
  FailureOr<View> out = makeResult(op->getResult(0), *in);
  FailureOr<std::optional<PreparedFormat>> prepared = getPreparedResult(op, spec, in->maxRows);
  if (failed(out) || failed(prepared))
    return failure();
  if ((spec.prepared = *prepared)) {
    // In the place that the plan has for rows of f32, which are no shorter.
    out->region.stride = out->region.columnEnd = preparedRowBytes(spec.prepared->format, spec.n);
    views[op.getResult()] = *out;
    preparedResults.insert(op.getResult());
  }
  SmallVector<Value> operands = {*data, in->pointer, out->pointer};
  Accesses accesses{{in->region}, {}, {out->region}};
  if (op.getCoarse() && !spec.generic) {
    FailureOr<View> screen = screenOutputs(op, *input, *in, spec);
    if (failed(screen))
      return failure();
    spec.screened = true;
    operands.push_back(screen->pointer);
    accesses.reads.push_back(screen->region);
  }
  FailureOr<std::pair<Value, Region>> counter = takeCounter(op);
  if (failed(counter))
    return failure();
  accesses.reads.push_back(counter->second);
  if (Value residual = op.getResidual()) {
    FailureOr<View> added = getView(op, residual);
    if (failed(added))
      return failure();
    spec.residual = true;
    spec.residualStride = added->getStride();
    operands.push_back(added->pointer);
    accesses.inPlace.push_back(added->region);
  }
  operands.append({counter->first, in->rows});
  ArrayRef<int64_t> shape = weight.getTensorType().getShape(); // [outputs, K]
  StageWork work;
  work.format = weightFormatName(spec.format);
  work.shape = std::to_string(shape[1]) + "x" + std::to_string(shape[0]);
  work.probe = kernels.getProbe(dotProduct(spec.tiled ? ActivationFormat::BF16Tiles : activation));
  work.weightBytes = *weight.getSize();
  work.rowOperations = 2 * shape[0] * shape[1];
  return call(op, kernels.getLinear(spec), operands, accesses, work);
}

LogicalResult StepBuilder::convert(RopeAnglesOp op) {
  RopeAnglesSpec spec;
  auto frequencies = op.getRope().inverseFrequencies();
  spec.invFreq.assign(frequencies.begin(), frequencies.end());
  FailureOr<View> out = makeResult(op->getResult(0), getStepRows());
  if (failed(out))
    return failure();
  return call(op, kernels.getRopeAngles(spec), {out->pointer, step.sequences, step.batch, step.seq},
              {{}, {}, {out->region}});
}

LogicalResult StepBuilder::convert(RopeOp op) {
  FailureOr<View> in = getView(op, op.getInput());
  FailureOr<View> angles = getView(op, op.getAngles());
  if (failed(in) || failed(angles))
    return failure();
  ArrayRef<int64_t> shape = op.getInput().getType().getShape();
  RopeSpec spec;
  spec.heads = shape[2];
  spec.headDim = shape[3];
  spec.ropeDim = getColumns(op.getAngles());
  spec.inStride = in->getStride();
  FailureOr<View> out = makeResult(op->getResult(0), *in);
  if (failed(out))
    return failure();
  return call(op, kernels.getRope(spec), {in->pointer, angles->pointer, out->pointer, in->rows},
              {{angles->region}, {in->region}, {out->region}});
}

LogicalResult StepBuilder::convertElementwise(Operation *op, ElementwiseKind kind, double value) {
  ElementwiseSpec spec;
  spec.kind = kind;
  spec.value = value;
  spec.columns = getColumns(op->getResult(0));
  SmallVector<Value> operands;
  Accesses accesses;
  View first;
  for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
    FailureOr<View> in = getView(op, operand);
    if (failed(in))
      return failure();
    (i == 0 ? spec.aStride : spec.bStride) = in->getStride();
    if (i == 0)
      first = *in;
    operands.push_back(in->pointer);
    accesses.inPlace.push_back(in->region);
  }
  FailureOr<View> out = makeResult(op->getResult(0), first);
  if (failed(out))
    return failure();
  accesses.writes.push_back(out->region);
  operands.append({out->pointer, first.rows});
  return call(op, kernels.getElementwise(spec), operands, accesses);
}

LogicalResult StepBuilder::convert(SelectRowsOp op) {
  FailureOr<View> in = getView(op, op.getInput());
  if (failed(in))
    return failure();
  if (op.getBegin() != source.getArgument(2))
    return op.emitOpError("expected the rows to begin at the function's last argument");
  SelectRowsSpec spec;
  spec.columns = getColumns(op.getInput());
  spec.inStride = in->getStride();
  View rows;
  rows.rows = step.outRows;
  rows.maxRows = maxOutRows;
  FailureOr<View> out = makeResult(op->getResult(0), rows);
  if (failed(out))
    return failure();
  return call(op, kernels.getSelectRows(spec),
              {in->pointer, out->pointer, step.batch, step.seq, step.outBegin, step.outCount},
              {{in->region}, {}, {out->region}});
}

LogicalResult StepBuilder::convertViews(Value input, ResultRange pieces) {
  FailureOr<View> in = getView(pieces.getBase()->getOwner(), input);
  if (failed(in))
    return failure();
  int64_t column = 0;
  for (OpResult piece : pieces) {
    int64_t bytes = getColumns(piece) * static_cast<int64_t>(sizeof(float));
    View view = *in;
    view.pointer = offsetPointer(builder, loc, in->pointer, column);
    view.region.columnBegin += column;
    view.region.columnEnd = view.region.columnBegin + bytes;
    views[piece] = view;
    column += bytes;
  }
  return success();
}

LogicalResult StepBuilder::convert(SplitOp op) {
  return convertViews(op.getInput(), op->getResults());
}

LogicalResult StepBuilder::convert(SplitHeadsOp op) {
  return convertViews(op.getInput(), op->getResults());
}

LogicalResult StepBuilder::convert(MergeHeadsOp op) {
  return convertViews(op.getInput(), op->getResults());
}
