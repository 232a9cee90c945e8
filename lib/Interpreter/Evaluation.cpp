//===- Evaluation.cpp - One call of a function ----------------------------===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Looks up operands and attributes of each op and hands them to its formula.
//===----------------------------------------------------------------------===//
#include "Evaluation.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "rlx/Import/Dequantize.h"
#include "rlx/runtime/abi.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace rlx;

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

SmallVector<int64_t, 4> Evaluation::shapeOf(Type type) const {
  auto tensor = cast<RankedTensorType>(type);
  SmallVector<int64_t, 4> shape(tensor.getShape());
  auto valueOf = [&](StringAttr name) -> std::optional<int64_t> {
    auto known = symbols.find(name.getValue());
    return known == symbols.end() ? std::nullopt : std::optional(known->second);
  };
  if (DimsAttr dims = getDims(type))
    for (unsigned i = 0; i < shape.size(); ++i)
      shape[i] = dims.evaluate(i, valueOf).value_or(ShapedType::kDynamic);
  return shape;
}

static std::string toString(ArrayRef<int64_t> shape) {
  return llvm::formatv("[{0}]", llvm::make_range(shape.begin(), shape.end()));
}

/// Binds `value`, whose type must evaluate to the array's shape.
llvm::Error Evaluation::define(Value value, Array array) {
  if (isa<RankedTensorType>(value.getType())) {
    SmallVector<int64_t, 4> expected = shapeOf(value.getType());
    int64_t count = 1;
    for (int64_t size : array.shape)
      count *= size;
    if (array.shape != expected || count != static_cast<int64_t>(array.values.size()))
      return llvm::createStringError(llvm::formatv("expected a value of shape {0} but got {1}",
                                                   toString(expected), toString(array.shape)));
  }
  if (value.use_empty())
    return llvm::Error::success();
  uses[value] = std::distance(value.use_begin(), value.use_end());
  values[value] = std::move(array);
  return llvm::Error::success();
}

/// Drops operands that nothing uses any more.
void Evaluation::release(Operation *op) {
  for (Value operand : op->getOperands())
    if (--uses[operand] == 0)
      values.erase(operand);
}

llvm::Expected<std::vector<double>> Evaluation::gain(FlatSymbolRefAttr name,
                                                     GainConvention convention) {
  std::vector<float> stored(weight(name).getTensorType().getDimSize(0));
  if (llvm::Error error = weights.readRow(weight(name), 0, stored))
    return std::move(error);
  std::vector<double> result(stored.begin(), stored.end());
  if (convention == GainConvention::OnePlus)
    for (double &value : result)
      value = arithmetic.round(1 + value);
  return result;
}

//===----------------------------------------------------------------------===//
// Ops that read weights
//===----------------------------------------------------------------------===//

llvm::Expected<Array> Evaluation::compute(EmbeddingOp op) {
  WeightOp table = weight(op.getWeightAttr());
  const Array &ids = at(op.getIds());
  int64_t rows = table.getTensorType().getDimSize(0), size = table.getTensorType().getDimSize(1);
  Array result;
  result.shape = ids.shape;
  result.shape.push_back(size);
  std::vector<float> row(size);
  for (double id : ids.values) {
    if (id < 0 || id >= rows)
      return llvm::createStringError(
          llvm::formatv("expected a token id below {0} but got {1}", rows, int64_t(id)));
    if (llvm::Error error = weights.readRow(table, static_cast<int64_t>(id), row))
      return std::move(error);
    for (float value : row)
      result.values.push_back(arithmetic.round(value * op.getScale().convertToDouble()));
  }
  return result;
}

llvm::Expected<Array> Evaluation::compute(RmsNormOp op) {
  auto factors = gain(op.getWeightAttr(), op.getGain());
  if (!factors)
    return factors.takeError();
  Array result =
      reference::rmsNorm(arithmetic, at(op.getInput()), *factors, op.getEps().convertToDouble());
  return op.getResidual() ? add(at(op.getResidual()), result) : result;
}

static double toBf16(double value) {
  return bfloat16ToFloat(floatToBfloat16(static_cast<float>(value)));
}

/// x' Wᵀ: rounded as options ask for the weight's type.
llvm::Expected<Array> Evaluation::product(WeightOp w, const Array &x, bool tiled) {
  int64_t rows = w.getTensorType().getDimSize(0);
  if (tiled)
    return reference::linear(arithmetic, reference::map(arithmetic, x, toBf16), rows,
                             [&](int64_t n, MutableArrayRef<float> row) -> llvm::Error {
                               llvm::Error error = weights.readRow(w, n, row);
                               for (float &value : row)
                                 value = static_cast<float>(toBf16(value));
                               return error;
                             });
  if (options.quantizeActivations && isa<QuantType>(w.getTensorType().getElementType()))
    return reference::quantizedLinear(arithmetic, x, rows, [&](int64_t n, BlockRow &blocks) {
      return weights.readBlocks(w, n, blocks);
    });
  auto readRow = [&](int64_t n, MutableArrayRef<float> row) { return weights.readRow(w, n, row); };
  if (options.roundToBf16 && w.getTensorType().getElementType().isBF16()) {
    return reference::linear(arithmetic, reference::map(arithmetic, x, toBf16), rows, readRow);
  }
  return reference::linear(arithmetic, x, rows, readRow);
}

llvm::Expected<Array> Evaluation::compute(LinearOp op) {
  Array x = at(op.getInput());
  if (op.getNormAttr()) {
    auto factors = gain(op.getNormAttr(), GainConvention::Plain);
    if (!factors)
      return factors.takeError();
    x = reference::rmsNorm(arithmetic, x, *factors, op.getEps()->convertToDouble());
  }
  Type stored = weight(op.getWeightAttr()).getTensorType().getElementType();
  bool tiled = options.tiles && op.isOfPrompt() && x.rows() > RLX_EXACT_TOKENS &&
               (isa<QuantType>(stored) || stored.isBF16());
  Result y = product(weight(op.getWeightAttr()), x, tiled);
  if (!y)
    return y;
  if (op.getGeglu())
    y = reference::interleavedGeglu(arithmetic, *y);
  if (op.getCap())
    y = reference::map(arithmetic, *y, [cap = op.getCap()->convertToDouble()](double v) {
      return reference::softcap(v, cap);
    });
  return op.getResidual() ? add(at(op.getResidual()), *y) : std::move(y);
}

//===----------------------------------------------------------------------===//
// Element-wise ops
//===----------------------------------------------------------------------===//

Array Evaluation::add(const Array &x, const Array &y) {
  return reference::map(arithmetic, x, y, [](double a, double b) { return a + b; });
}

llvm::Expected<Array> Evaluation::compute(AddOp op) {
  return add(at(op.getLhs()), at(op.getRhs()));
}

llvm::Expected<Array> Evaluation::compute(MulOp op) {
  return reference::map(arithmetic, at(op.getLhs()), at(op.getRhs()),
                        [](double a, double b) { return a * b; });
}

llvm::Expected<Array> Evaluation::compute(GegluOp op) {
  return reference::map(arithmetic, at(op.getLhs()), at(op.getRhs()), [&](double a, double b) {
    return arithmetic.round(reference::gelu(a)) * b;
  });
}

llvm::Expected<Array> Evaluation::compute(GeluOp op) {
  return reference::map(arithmetic, at(op.getInput()), reference::gelu);
}

llvm::Expected<Array> Evaluation::compute(ScaleOp op) {
  return reference::map(
      arithmetic, at(op.getInput()),
      [factor = op.getFactor().convertToDouble()](double x) { return factor * x; });
}

llvm::Expected<Array> Evaluation::compute(SoftcapOp op) {
  return reference::map(
      arithmetic, at(op.getInput()),
      [cap = op.getCap().convertToDouble()](double x) { return reference::softcap(x, cap); });
}

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

llvm::Error Evaluation::computeAll(SplitOp op) {
  int64_t begin = 0;
  for (Value piece : op.getPieces()) {
    int64_t size = cast<RankedTensorType>(piece.getType()).getShape().back();
    if (llvm::Error error = define(piece, reference::columns(at(op.getInput()), begin, size)))
      return error;
    begin += size;
  }
  return llvm::Error::success();
}

llvm::Error Evaluation::computeAll(SplitHeadsOp op) {
  int64_t begin = 0;
  for (Value heads : op.getHeads()) {
    auto shape = cast<RankedTensorType>(heads.getType()).getShape();
    Array piece = reference::columns(at(op.getInput()), begin, shape[2] * shape[3]);
    piece.shape.back() = shape[2];
    piece.shape.push_back(shape[3]);
    begin += shape[2] * shape[3];
    if (llvm::Error error = define(heads, std::move(piece)))
      return error;
  }
  return llvm::Error::success();
}

llvm::Expected<Array> Evaluation::compute(MergeHeadsOp op) {
  Array array = at(op.getInput());
  int64_t size = array.shape.pop_back_val();
  array.shape.back() *= size;
  return array;
}

llvm::Expected<Array> Evaluation::compute(SelectRowsOp op) {
  const Array &x = at(op.getInput());
  int64_t begin = static_cast<int64_t>(at(op.getBegin()).values[0]);
  int64_t count = shapeOf(op.getType())[1];
  if (begin < 0 || count < 0 || begin + count > x.shape[1])
    return llvm::createStringError(llvm::formatv(
        "expected rows within the step's {0} but got {1} from {2} on", x.shape[1], count, begin));
  return reference::selectRows(x, begin, count);
}

//===----------------------------------------------------------------------===//
// Positions, the cache and attention
//===----------------------------------------------------------------------===//

llvm::Expected<Array> Evaluation::compute(PositionsOp op) {
  Array result;
  result.shape = shapeOf(op.getType());
  for (int64_t b = 0; b < result.shape[0]; ++b)
    for (int64_t i = 0; i < result.shape[1]; ++i)
      result.values.push_back(static_cast<double>((cache ? cache->pastLength() : 0) + i));
  return result;
}

llvm::Expected<Array> Evaluation::compute(RopeAnglesOp op) {
  return reference::ropeAngles(arithmetic, at(op.getPositions()), op.getRope());
}

llvm::Expected<Array> Evaluation::compute(RopeOp op) {
  return reference::rope(arithmetic, at(op.getInput()), at(op.getAngles()));
}

/// The cache's next state is the same object.
llvm::Expected<Array> Evaluation::append(StringRef slot, const Array &key, const Array &value) {
  if (!cache)
    return llvm::createStringError("expected a cache for a function that appends to one");
  if (llvm::Error error = cache->append(slot, key, value, options.roundCache))
    return std::move(error);
  return Array();
}

llvm::Expected<std::pair<Array, Array>> Evaluation::read(StringRef slot) {
  if (!cache)
    return llvm::createStringError("expected a cache for a function that reads one");
  return cache->read(slot);
}

llvm::Expected<Array> Evaluation::compute(KVAppendOp op) {
  return append(op.getSlot(), at(op.getKey()), at(op.getValue()));
}

llvm::Expected<Array> Evaluation::compute(RopeAppendOp op) {
  return append(op.getSlot(), reference::rope(arithmetic, at(op.getKey()), at(op.getAngles())),
                at(op.getValue()));
}

llvm::Error Evaluation::computeAll(KVReadOp op) {
  auto planes = read(op.getSlot());
  if (!planes)
    return planes.takeError();
  if (llvm::Error error = define(op.getKey(), std::move(planes->first)))
    return error;
  return define(op.getValue(), std::move(planes->second));
}

template <typename Op> static reference::AttentionParameters parametersOf(Op op) {
  reference::AttentionParameters result;
  result.scale = op.getScale().convertToDouble();
  if (op.getCap())
    result.cap = op.getCap()->convertToDouble();
  if (op.getWindow())
    result.window = static_cast<int64_t>(*op.getWindow());
  return result;
}

llvm::Expected<Array> Evaluation::compute(AttentionOp op) {
  return reference::attention(arithmetic, at(op.getQuery()), at(op.getKey()), at(op.getValue()),
                              parametersOf(op));
}

llvm::Expected<Array> Evaluation::compute(CachedAttentionOp op) {
  auto planes = read(op.getSlot());
  if (!planes)
    return planes.takeError();
  return reference::attention(arithmetic, at(op.getQuery()), planes->first, planes->second,
                              parametersOf(op));
}

//===----------------------------------------------------------------------===//
// Dispatch
//===----------------------------------------------------------------------===//

llvm::Error Evaluation::execute(Operation *op) {
  return llvm::TypeSwitch<Operation *, llvm::Error>(op)
      .Case<EmbeddingOp, RmsNormOp, LinearOp, AddOp, MulOp, GegluOp, GeluOp, ScaleOp, SoftcapOp,
            MergeHeadsOp, SelectRowsOp, PositionsOp, RopeAnglesOp, RopeOp, AttentionOp,
            CachedAttentionOp, KVAppendOp, RopeAppendOp>([&](auto typed) -> llvm::Error {
        Result result = compute(typed);
        return result ? define(op->getResult(0), std::move(*result)) : result.takeError();
      })
      .Case<SplitOp, SplitHeadsOp, KVReadOp>([&](auto typed) { return computeAll(typed); })
      .Case([&](arith::ConstantIndexOp constant) {
        return define(constant, Array{{}, {static_cast<double>(constant.value())}});
      })
      .Default([](Operation *op) {
        return llvm::createStringError("cannot interpret '" + op->getName().getStringRef() + "'");
      });
}

llvm::Expected<std::vector<Array>> Evaluation::run(func::FuncOp function,
                                                   std::vector<Array> arguments) {
  if (function.isExternal() || !function.getBody().hasOneBlock() ||
      arguments.size() != function.getNumArguments())
    return llvm::createStringError("cannot call function '" + function.getName() + "' with " +
                                   llvm::Twine(arguments.size()) + " arguments");
  Block &body = function.getBody().front();
  for (auto [value, array] : llvm::zip(body.getArguments(), arguments))
    if (llvm::Error error = define(value, std::move(array)))
      return std::move(error);
  for (Operation &op : body.without_terminator()) {
    if (llvm::Error error = execute(&op))
      return std::move(error);
    release(&op);
  }
  std::vector<Array> results;
  for (Value value : body.getTerminator()->getOperands())
    results.push_back(at(value));
  return results;
}
