//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Attributes of the RLX dialect: canonical symbolic dimensions, their syntax,
// and RoPE frequencies.

#include "rlx/IR/RLXOps.h"

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace rlx;

#include "rlx/IR/RLXEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "rlx/IR/RLXAttributes.cpp.inc"

void RLXDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "rlx/IR/RLXAttributes.cpp.inc"
      >();
}

/// Far above any model, far below where sizes computed from them overflow.
static constexpr int64_t kMaxSymbol = int64_t(1) << 32, kMaxSize = int64_t(1) << 31,
                         kMaxElements = int64_t(1) << 40;

//===----------------------------------------------------------------------===//
// DimsAttr
//===----------------------------------------------------------------------===//

DimsAttr DimsAttr::get(MLIRContext *context, ArrayRef<StringAttr> symbols,
                       ArrayRef<AffineExpr> dims) {
  // Renumber the symbols that are used, in the order of their names.
  SmallVector<AffineExpr> simple;
  for (AffineExpr dim : dims)
    simple.push_back(simplifyAffineExpr(dim, 0, symbols.size()));
  SmallVector<unsigned> used;
  for (unsigned i = 0; i < symbols.size(); ++i)
    if (llvm::any_of(simple, [&](AffineExpr e) { return e.isFunctionOfSymbol(i); }))
      used.push_back(i);
  llvm::sort(used,
             [&](unsigned a, unsigned b) { return symbols[a].getValue() < symbols[b].getValue(); });
  SmallVector<AffineExpr> renumber(symbols.size(), getAffineConstantExpr(0, context));
  SmallVector<StringAttr> names;
  for (unsigned old : used) {
    // A name that occurs twice is one symbol.
    if (names.empty() || names.back() != symbols[old])
      names.push_back(symbols[old]);
    renumber[old] = getAffineSymbolExpr(names.size() - 1, context);
  }
  for (AffineExpr &dim : simple)
    dim = simplifyAffineExpr(dim.replaceSymbols(renumber), 0, names.size());
  return Base::get(context, names, AffineMap::get(0, names.size(), simple, context));
}

static void printExpr(raw_ostream &os, AffineExpr expr, ArrayRef<StringAttr> symbols,
                      bool nested = false) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    os << constant.getValue();
    return;
  }
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr)) {
    os << symbols[symbol.getPosition()].getValue();
    return;
  }
  auto binary = cast<AffineBinaryOpExpr>(expr);
  const char *op = " + ";
  switch (binary.getKind()) {
  case AffineExprKind::Mul:
    op = " * ";
    break;
  case AffineExprKind::FloorDiv:
    op = " floordiv ";
    break;
  case AffineExprKind::CeilDiv:
    op = " ceildiv ";
    break;
  case AffineExprKind::Mod:
    op = " mod ";
    break;
  default:
    break;
  }
  bool sum = binary.getKind() == AffineExprKind::Add;
  if (nested)
    os << "(";
  // Sums are left-associative and need no brackets on their left.
  bool leftSum = sum && isa<AffineBinaryOpExpr>(binary.getLHS()) &&
                 binary.getLHS().getKind() == AffineExprKind::Add;
  printExpr(os, binary.getLHS(), symbols, !leftSum);
  os << op;
  printExpr(os, binary.getRHS(), symbols, true);
  if (nested)
    os << ")";
}

std::string DimsAttr::dimToString(unsigned i) const {
  std::string text;
  llvm::raw_string_ostream os(text);
  printExpr(os, getDim(i), getSymbols());
  return text;
}

void DimsAttr::print(AsmPrinter &printer) const {
  printer << "<";
  for (unsigned i = 0; i < getRank(); ++i)
    printer << (i ? ", " : "") << dimToString(i);
  printer << ">";
}

namespace {
/// Recursive descent over `sum := product ('+' product)*`,
/// `product := atom (('*' | floordiv | ceildiv | mod) atom)*`.
class DimParser {
public:
  explicit DimParser(AsmParser &parser) : parser(parser) {}

  FailureOr<AffineExpr> parseSum() {
    FailureOr<AffineExpr> sum = parseProduct();
    while (succeeded(sum) && succeeded(parser.parseOptionalPlus())) {
      FailureOr<AffineExpr> term = parseProduct();
      if (failed(term))
        return failure();
      sum = *sum + *term;
    }
    return sum;
  }

  SmallVector<StringAttr> symbols;

private:
  FailureOr<AffineExpr> parseProduct() {
    FailureOr<AffineExpr> lhs = parseAtom();
    while (succeeded(lhs)) {
      AffineExprKind kind;
      if (succeeded(parser.parseOptionalStar()))
        kind = AffineExprKind::Mul;
      else if (succeeded(parser.parseOptionalKeyword("floordiv")))
        kind = AffineExprKind::FloorDiv;
      else if (succeeded(parser.parseOptionalKeyword("ceildiv")))
        kind = AffineExprKind::CeilDiv;
      else if (succeeded(parser.parseOptionalKeyword("mod")))
        kind = AffineExprKind::Mod;
      else
        return lhs;
      SMLoc where = parser.getCurrentLocation();
      FailureOr<AffineExpr> rhs = parseAtom();
      if (failed(rhs))
        return failure();
      auto constant = dyn_cast<AffineConstantExpr>(*rhs);
      if (!constant || (kind != AffineExprKind::Mul && constant.getValue() <= 0))
        return parser.emitError(where, "expected a positive constant on the right of a product, "
                                       "division or remainder");
      lhs = getAffineBinaryOpExpr(kind, *lhs, *rhs);
    }
    return lhs;
  }

  FailureOr<AffineExpr> parseAtom() {
    MLIRContext *context = parser.getContext();
    if (succeeded(parser.parseOptionalLParen())) {
      FailureOr<AffineExpr> inner = parseSum();
      if (failed(inner) || failed(parser.parseRParen()))
        return failure();
      return inner;
    }
    int64_t value = 0;
    SMLoc where = parser.getCurrentLocation();
    OptionalParseResult integer = parser.parseOptionalInteger(value);
    if (integer.has_value()) {
      if (failed(*integer))
        return failure();
      if (value < 0 || value > kMaxElements)
        return parser.emitError(where, "expected a number from 0 to 2^40 in a dimension");
      return getAffineConstantExpr(value, context);
    }
    StringRef name;
    if (failed(parser.parseOptionalKeyword(&name)))
      return parser.emitError(parser.getCurrentLocation(),
                              "expected a symbol, an integer or '(' in a dimension");
    auto symbol = StringAttr::get(context, name);
    auto *it = llvm::find(symbols, symbol);
    unsigned position = it - symbols.begin();
    if (it == symbols.end())
      symbols.push_back(symbol);
    return getAffineSymbolExpr(position, context);
  }

  AsmParser &parser;
};
} // namespace

Attribute DimsAttr::parse(AsmParser &parser, Type) {
  DimParser dims(parser);
  SmallVector<AffineExpr> exprs;
  auto parseOne = [&]() -> ParseResult {
    FailureOr<AffineExpr> expr = dims.parseSum();
    if (failed(expr))
      return failure();
    exprs.push_back(*expr);
    return success();
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::LessGreater, parseOne))
    return {};
  return DimsAttr::get(parser.getContext(), dims.symbols, exprs);
}

SmallVector<int64_t> DimsAttr::getShape() const {
  SmallVector<int64_t> shape;
  for (AffineExpr dim : getMap().getResults()) {
    auto constant = dyn_cast<AffineConstantExpr>(dim);
    shape.push_back(constant ? constant.getValue() : ShapedType::kDynamic);
  }
  return shape;
}

DimsAttr DimsAttr::substitute(llvm::function_ref<std::optional<int64_t>(StringAttr)> value) const {
  SmallVector<AffineExpr> replacements;
  for (auto [i, name] : llvm::enumerate(getSymbols())) {
    std::optional<int64_t> constant = value(name);
    replacements.push_back(constant ? getAffineConstantExpr(*constant, getContext())
                                    : getAffineSymbolExpr(i, getContext()));
  }
  SmallVector<AffineExpr> dims;
  for (AffineExpr dim : getMap().getResults())
    dims.push_back(dim.replaceSymbols(replacements));
  return DimsAttr::get(getContext(), getSymbols(), dims);
}

std::optional<int64_t>
DimsAttr::evaluate(unsigned i, llvm::function_ref<std::optional<int64_t>(StringAttr)> value) const {
  AffineExpr dim = substitute(value).getDim(i);
  auto constant = dyn_cast<AffineConstantExpr>(dim);
  return constant ? std::optional<int64_t>(constant.getValue()) : std::nullopt;
}

// dims_c1: rank; dims_c2: constants and dynamic sizes agree with the shape.
LogicalResult DimsAttr::verifyEncoding(ArrayRef<int64_t> shape, Type,
                                       llvm::function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.size() != getRank())
    return emitError() << "expected #rlx.dims of rank " << shape.size() << " but got " << getRank();
  for (auto [i, size] : llvm::enumerate(getShape()))
    if (size != shape[i])
      return emitError() << "expected size of dimension " << i << " to be '" << dimToString(i)
                         << "' but got "
                         << (ShapedType::isDynamic(shape[i]) ? std::string("?")
                                                             : std::to_string(shape[i]));
  return success();
}

//===----------------------------------------------------------------------===//
// SymbolAttr, RopeAttr
//===----------------------------------------------------------------------===//

// symbol_c1: name; symbol_c2: range.
LogicalResult SymbolAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                                 StringAttr name, int64_t min, int64_t max) {
  if (name.getValue().empty())
    return emitError() << "expected a symbol to have a name";
  if (min < 0 || max < min || max > kMaxSymbol)
    return emitError() << "expected range of symbol " << name
                       << " to satisfy 0 <= min <= max <= 2^32 but got [" << min << ", " << max
                       << "]";
  return success();
}

// rope_attr_c1 to rope_attr_c6, in this order.
LogicalResult RopeAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError, FloatAttr base,
                               int64_t dim, StringAttr scaling, FloatAttr factor, FloatAttr low,
                               FloatAttr high, int64_t originalMax, DenseF64ArrayAttr freqFactors) {
  if (!(base.getValueAsDouble() > 0))
    return emitError() << "expected a positive rope base but got " << base.getValueAsDouble();
  if (dim <= 0 || dim % 2)
    return emitError() << "expected an even, positive rope dim but got " << dim;
  StringRef kind = scaling.getValue();
  if (kind != "none" && kind != "linear" && kind != "llama3")
    return emitError() << "expected rope scaling none, linear or llama3 but got " << scaling;
  if (kind != "none" && (!factor || !(factor.getValueAsDouble() > 0)))
    return emitError() << "expected a positive factor for rope scaling " << scaling;
  if (kind == "llama3" && (!low || !high || originalMax <= 0 || !(low.getValueAsDouble() > 0) ||
                           low.getValueAsDouble() >= high.getValueAsDouble()))
    return emitError() << "expected 0 < low < high and a positive original_max for rope scaling "
                          "llama3";
  if (freqFactors && freqFactors.size() != dim / 2)
    return emitError() << "expected " << dim / 2 << " freq_factors but got " << freqFactors.size();
  if (freqFactors && llvm::any_of(freqFactors.asArrayRef(), [](double f) { return !(f > 0); }))
    return emitError() << "expected positive freq_factors but got " << freqFactors;
  return success();
}

SmallVector<double> RopeAttr::inverseFrequencies() const {
  const double turn = 6.283185307179586476925286766559;
  SmallVector<double> result;
  for (int64_t i = 0; i < getDim() / 2; ++i) {
    double frequency = std::pow(getBase().getValueAsDouble(), -2.0 * i / getDim());
    if (getScaling().getValue() == "linear") {
      frequency /= getFactor().getValueAsDouble();
    } else if (getScaling().getValue() == "llama3") {
      double factor = getFactor().getValueAsDouble(), low = getLow().getValueAsDouble(),
             high = getHigh().getValueAsDouble(), length = double(getOriginalMax());
      double wavelength = turn / frequency;
      if (wavelength > length / low) {
        frequency /= factor;
      } else if (wavelength > length / high) {
        double smooth = (length / wavelength - low) / (high - low);
        frequency = (1 - smooth) * frequency / factor + smooth * frequency;
      }
    }
    if (getFreqFactors())
      frequency /= getFreqFactors()[i];
    result.push_back(frequency);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

static bool isWeightElement(Type type) {
  return type.isF32() || type.isF16() || type.isBF16() || isa<QuantType>(type);
}

static bool areInRange(ArrayRef<int64_t> sizes) {
  int64_t elements = 1;
  for (int64_t size : sizes) {
    if (size < 1 || size > kMaxSize || elements > kMaxElements / size)
      return false;
    elements *= size;
  }
  return true;
}

// source_c1: offset; source_c2: type; source_c3: sizes.
LogicalResult SourceAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError, StringAttr,
                                 StringAttr, int64_t offset, RankedTensorType type) {
  if (offset < 0)
    return emitError() << "expected an offset of 0 or more but got " << offset;
  if (!type.hasStaticShape() || type.getRank() == 0 || !isWeightElement(type.getElementType()))
    return emitError() << "expected a static tensor of f32, f16, bf16 or a quantised type but got "
                       << type;
  if (!areInRange(type.getShape()))
    return emitError() << "expected sizes of 1 to 2^31 and at most 2^40 elements but got " << type;
  return success();
}

// convert_c1: type.
LogicalResult ConvertAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError, Type type) {
  if (!isWeightElement(type))
    return emitError() << "expected f32, f16, bf16 or a quantised type but got " << type;
  return success();
}

// residual_norms_c1: type.
LogicalResult ResidualNormsAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                                        Type type) {
  if (!isa<QuantType>(type))
    return emitError() << "expected a quantised type but got " << type;
  return success();
}

// pack_c1: layout.
LogicalResult PackAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                               StringAttr layout) {
  if (layout.getValue() != "row" && layout.getValue() != "r16")
    return emitError() << "expected layout \"row\" or \"r16\" but got " << layout;
  return success();
}
