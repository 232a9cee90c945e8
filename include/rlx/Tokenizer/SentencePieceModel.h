//===- SentencePieceModel.h - Reading tokenizer.model ------- -*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Reads the vocabulary and the text preparation of a SentencePiece model file.
//===----------------------------------------------------------------------===//
#ifndef RLX_TOKENIZER_SENTENCEPIECEMODEL_H
#define RLX_TOKENIZER_SENTENCEPIECEMODEL_H

#include "rlx/Import/Vocabulary.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBufferRef.h"

namespace rlx {

/// Reads the serialised ModelProto in `file`, whose identifier names it in
/// errors. What RLX cannot reproduce exactly (a model that is not BPE, a
/// character map, spaces as suffixes) is refused.
llvm::Expected<Vocabulary> readSentencePieceModel(llvm::MemoryBufferRef file);

} // namespace rlx

#endif // RLX_TOKENIZER_SENTENCEPIECEMODEL_H
