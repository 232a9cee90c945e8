//===- TokenizerTrie.cpp - A trie of pieces ----------------- -*- C++ -*-===//
//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
// Inserts pieces byte by byte and flattens the tree breadth first.
//===----------------------------------------------------------------------===//
#include "TokenizerTrie.h"

namespace rlx {

void TokenizerTrie::add(llvm::StringRef text, int32_t id) {
  size_t at = 0;
  for (unsigned char byte : text.bytes()) {
    auto [it, inserted] = nodes[at].children.try_emplace(byte, nodes.size());
    at = it->second;
    if (inserted)
      nodes.emplace_back();
  }
  nodes[at].id = id;
}

std::vector<TokenizerTrieNode> TokenizerTrie::flatten() const {
  std::vector<TokenizerTrieNode> flat = {{0, 0, 0, nodes[0].id}};
  std::vector<size_t> order = {0};
  for (size_t i = 0; i < order.size(); ++i) {
    const auto &children = nodes[order[i]].children;
    flat[i].firstChild = static_cast<uint32_t>(flat.size());
    flat[i].childCount = static_cast<uint16_t>(children.size());
    for (auto [byte, child] : children) {
      flat.push_back({0, 0, byte, nodes[child].id});
      order.push_back(child);
    }
  }
  return flat;
}

} // namespace rlx
