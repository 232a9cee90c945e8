//===- TokenizerTables.h - Compiling a vocabulary ----------- -*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Turns a vocabulary into the tables that the runtime maps as tokenizer.bin.
//===----------------------------------------------------------------------===//
#ifndef RLX_TOKENIZER_TOKENIZERTABLES_H
#define RLX_TOKENIZER_TOKENIZERTABLES_H

#include "rlx/Import/Vocabulary.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace rlx {

/// The bytes of tokenizer.bin (rlx/runtime/tokenizer_format.h) for a vocabulary.
/// `origin` names the vocabulary in errors: a file, or a file and its key. The
/// same vocabulary gives the same bytes.
llvm::Expected<std::string> buildTokenizerTables(const Vocabulary &vocabulary,
                                                 llvm::StringRef origin);

} // namespace rlx

#endif // RLX_TOKENIZER_TOKENIZERTABLES_H
