# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A SentencePiece BPE vocabulary with Gemma's layout whose merges work on English text."""
import collections
import os

import numpy as np

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
TEXT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "models", "heldout.txt")


def _substrings():
    """Substrings of the words of the bundled text, most frequent first, then joins of two, endlessly."""
    words = open(TEXT, encoding="utf-8").read().split()
    count = collections.Counter()
    for word, times in collections.Counter("\u2581" + w for w in words if w.isascii()).items():
        for begin in range(len(word)):
            for end in range(begin + 2, min(len(word), begin + 12) + 1):
                count[word[begin:end]] += times
    found = sorted(count, key=lambda piece: (-count[piece], piece))
    seen = set(found)
    yield from found
    rng, pool = np.random.Generator(np.random.PCG64(7)), found[:4000]
    while True:
        for a, b in rng.integers(0, len(pool), (4096, 2)):
            piece = pool[a] + pool[b].lstrip("\u2581")
            if piece not in seen:
                seen.add(piece)
                yield piece


def vocabulary(size, gemma3):
    """(pieces, scores, types): controls, bytes, single characters, then longer pieces."""
    pieces, types = [], []

    def add(piece, kind):
        pieces.append(piece)
        types.append(kind)

    for piece in ("<pad>", "<eos>", "<bos>"):
        add(piece, CONTROL)
    add("<unk>", UNKNOWN)
    add("<mask>", CONTROL)
    unused = 0
    first_turn = 105 if gemma3 else 106
    while len(pieces) < 217:
        if len(pieces) == first_turn:
            add("<start_of_turn>", CONTROL)
            add("<end_of_turn>", CONTROL)
            continue
        add(f"<unused{unused}>", CONTROL)
        unused += 1
    for byte in range(256):
        add(f"<0x{byte:02X}>", BYTE)
    for piece in ["\u2581", "\n"] + [chr(c) for c in range(33, 127)]:
        add(piece, NORMAL)
    first_scored = len(pieces)
    if size < first_scored:
        raise ValueError(f"expected a vocabulary of at least {first_scored} pieces but got {size}")
    for piece in _substrings():
        if len(pieces) == size:
            break
        add(piece, NORMAL)
    scores = np.zeros(size, dtype=np.float32)
    scores[first_scored - 96:] = -np.arange(size - first_scored + 96, dtype=np.float32)
    return pieces, scores, types
