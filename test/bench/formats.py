# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Number formats of weights: float32 arrays in, stored bytes out."""
import numpy as np


def bf16(x):
    bits = np.ascontiguousarray(x, dtype=np.float32).view(np.uint32)
    return ((bits + (((bits >> 16) & 1) + np.uint32(0x7FFF))) >> 16).astype("<u2")


def q8_0(x):
    blocks = x.reshape(-1, 32)
    d = np.abs(blocks).max(axis=1, keepdims=True) / np.float32(127)
    q = np.rint(np.divide(blocks, d, out=np.zeros_like(blocks), where=d > 0)).astype(np.int8)
    return np.concatenate([d.astype("<f2").view(np.uint8), q.view(np.uint8)], axis=1)


def q4_0(x):
    blocks = x.reshape(-1, 32)
    peak = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=1)[:, None], axis=1)
    d = peak / np.float32(-8)
    scaled = np.divide(blocks, d, out=np.zeros_like(blocks), where=d != 0)
    q = np.clip(np.floor(scaled + np.float32(8.5)), 0, 15).astype(np.uint8)
    return np.concatenate([d.astype("<f2").view(np.uint8), q[:, :16] | (q[:, 16:] << 4)], axis=1)


# name: (encoder, GGML type id, GGUF file type, elements a block, bytes a block)
FORMATS = {
    "f32": (lambda x: x.astype("<f4"), 0, 0, 1, 4),
    "f16": (lambda x: x.astype("<f2"), 1, 1, 1, 2),
    "bf16": (bf16, 30, 32, 1, 2),
    "q8_0": (q8_0, 8, 7, 32, 34),
    "q4_0": (q4_0, 2, 2, 32, 18),
}


def size(fmt, elements):
    """Bytes of so many elements."""
    block, byte_count = FORMATS[fmt][3:]
    assert elements % block == 0, (fmt, elements)
    return elements // block * byte_count


def rounded(fmt, x):
    """What a vector of a checkpoint in this format holds; beside blocks, vectors are float32."""
    if fmt == "bf16":
        return (bf16(x).astype("<u4") << 16).view("<f4")
    return x.astype("<f2").astype("<f4") if fmt == "f16" else x


def encode(fmt, x):
    return FORMATS[fmt][0](x).tobytes()
