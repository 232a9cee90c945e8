//===----------------------------------------------------------------------===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Types of the RLX dialect: syntax and checks of quantised element types.

#include "rlx/IR/RLXOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace rlx;

#define GET_TYPEDEF_CLASSES
#include "rlx/IR/RLXTypes.cpp.inc"

void RLXDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "rlx/IR/RLXTypes.cpp.inc"
      >();
}

namespace {
struct QuantFormat {
  StringLiteral name;
  int64_t block, bytes;
};
} // namespace

/// Elements and bytes of a block, as GGUF stores it.
static constexpr QuantFormat kFormats[] = {
    {"q8_0", 32, 34},   {"q4_0", 32, 18},   {"q4_1", 32, 20},   {"q5_0", 32, 22},
    {"q5_1", 32, 24},   {"q2_k", 256, 84},  {"q3_k", 256, 110}, {"q4_k", 256, 144},
    {"q5_k", 256, 176}, {"q6_k", 256, 210}, {"iq4_nl", 32, 18}, {"iq4_xs", 256, 136},
};

static const QuantFormat *findFormat(StringRef name) {
  const auto *it = llvm::find_if(kFormats, [&](const QuantFormat &f) { return f.name == name; });
  return it == std::end(kFormats) ? nullptr : it;
}

bool QuantType::isKnownFormat(StringRef format) { return findFormat(format); }

QuantType QuantType::get(MLIRContext *context, StringRef format) {
  const QuantFormat *known = findFormat(format);
  return Base::get(context, StringAttr::get(context, format), known ? known->block : 0,
                   known ? known->bytes : 0);
}

// quant_c1: format; quant_c2: block.
LogicalResult QuantType::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                                StringAttr format, int64_t block, int64_t bytes) {
  const QuantFormat *known = findFormat(format.getValue());
  if (!known)
    return emitError() << "expected a known quantised format but got " << format;
  if (block != known->block || bytes != known->bytes)
    return emitError() << "expected blocks of " << known->block << " elements and " << known->bytes
                       << " bytes for " << format << " but got " << block << " and " << bytes;
  return success();
}

Type QuantType::parse(AsmParser &parser) {
  std::string format;
  if (parser.parseLess() || parser.parseString(&format))
    return {};
  const QuantFormat *known = findFormat(format);
  int64_t block = known ? known->block : 0, bytes = known ? known->bytes : 0;
  if (succeeded(parser.parseOptionalComma()) &&
      (parser.parseInteger(block) || parser.parseComma() || parser.parseInteger(bytes)))
    return {};
  if (parser.parseGreater())
    return {};
  MLIRContext *context = parser.getContext();
  return parser.getChecked<QuantType>(context, StringAttr::get(context, format), block, bytes);
}

void QuantType::print(AsmPrinter &printer) const { printer << "<" << getFormat() << ">"; }
