//===- TokenizerTrie.h - A trie of pieces ------------------- -*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// The trie that finds the longest user-defined or control piece at a place.
//===----------------------------------------------------------------------===//
#ifndef RLX_LIB_TOKENIZER_TOKENIZERTRIE_H
#define RLX_LIB_TOKENIZER_TOKENIZERTRIE_H

#include "rlx/runtime/tokenizer_format.h"
#include "llvm/ADT/StringRef.h"
#include <map>
#include <vector>

namespace rlx {

class TokenizerTrie {
public:
  void add(llvm::StringRef text, int32_t id);
  /// The nodes as the tables hold them: breadth first, so that the children of
  /// a node are consecutive.
  std::vector<TokenizerTrieNode> flatten() const;

private:
  struct Node {
    int32_t id = -1;
    std::map<uint8_t, size_t> children;
  };
  std::vector<Node> nodes = std::vector<Node>(1);
};

} // namespace rlx

#endif // RLX_LIB_TOKENIZER_TOKENIZERTRIE_H
