# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a GGUF v3 file."""
import struct

import formats
import numpy as np
from shapes import tensors, values
from vocabulary import vocabulary

U32, I32, F32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
ALIGNMENT = 32


def _string(text):
    data = text.encode("utf-8")
    return struct.pack("<Q", len(data)) + data


def _pair(key, kind, value):
    head = _string(key) + struct.pack("<I", kind)
    if kind == STRING:
        return head + _string(value)
    return head + struct.pack({U32: "<I", F32: "<f", BOOL: "<?"}[kind], value)


def _array(key, kind, items):
    head = _string(key) + struct.pack("<IIQ", ARRAY, kind, len(items))
    if kind == STRING:
        return head + b"".join(_string(item) for item in items)
    return head + np.asarray(items, dtype={F32: "<f4", I32: "<i4"}[kind]).tobytes()


def _metadata(name, shape, fmt):
    a = shape.arch
    yield _pair("general.architecture", STRING, a)
    yield _pair("general.name", STRING, name + " random weights")
    yield _pair("general.file_type", U32, formats.FORMATS[fmt][2])
    yield _pair("general.quantization_version", U32, 2)
    for key, value in [
        ("context_length", shape.context), ("embedding_length", shape.hidden),
        ("block_count", shape.layers), ("feed_forward_length", shape.mlp),
        ("attention.head_count", shape.heads), ("attention.head_count_kv", shape.kv_heads),
        ("attention.key_length", shape.head_dim), ("attention.value_length", shape.head_dim),
    ]:
        yield _pair(f"{a}.{key}", U32, value)
    yield _pair(f"{a}.attention.layer_norm_rms_epsilon", F32, 1e-6)
    if shape.window:
        yield _pair(f"{a}.attention.sliding_window", U32, shape.window)
    for key, value in [
        ("attn_logit_softcapping", shape.attention_cap),
        ("final_logit_softcapping", shape.final_cap),
        ("rope.freq_base", shape.rope_base if a == "gemma3" else 0),
        ("rope.freq_base_swa", shape.rope_base_local),
    ]:
        if value:
            yield _pair(f"{a}.{key}", F32, value)


def _tokenizer(shape):
    pieces, scores, types = vocabulary(shape.vocab, shape.arch == "gemma3")
    yield _pair("tokenizer.ggml.model", STRING, "llama")
    yield _pair("tokenizer.ggml.pre", STRING, "default")
    yield _array("tokenizer.ggml.tokens", STRING, pieces)
    yield _array("tokenizer.ggml.scores", F32, scores)
    yield _array("tokenizer.ggml.token_type", I32, types)
    for key, value in [("bos", 2), ("eos", 1), ("unknown", 3), ("padding", 0)]:
        yield _pair(f"tokenizer.ggml.{key}_token_id", U32, value)
    yield _pair("tokenizer.ggml.add_bos_token", BOOL, True)
    yield _pair("tokenizer.ggml.add_eos_token", BOOL, False)
    yield _pair("tokenizer.ggml.add_space_prefix", BOOL, False)


def write(path, name, shape, fmt, seed):
    """Writes the model; matrices in `fmt`, norms as 1 + w in float32, as this container wants; this
    w is the one that a Hugging Face folder of the same type has."""
    listed = [(gguf, dims) for gguf, _, dims in tensors(shape)]
    metadata = list(_metadata(name, shape, fmt)) + list(_tokenizer(shape))
    infos, offset = [], 0
    for tensor, dims in listed:
        kind = fmt if len(dims) == 2 else "f32"
        infos.append(_string(tensor) + struct.pack("<I", len(dims))
                     + b"".join(struct.pack("<Q", d) for d in reversed(dims))
                     + struct.pack("<IQ", formats.FORMATS[kind][1], offset))
        offset += -(-formats.size(kind, int(np.prod(dims))) // ALIGNMENT) * ALIGNMENT
    with open(path, "wb") as out:
        out.write(struct.pack("<4sIQQ", b"GGUF", 3, len(listed), len(metadata)))
        out.write(b"".join(metadata) + b"".join(infos))
        out.write(bytes(-out.tell() % ALIGNMENT))
        for tensor, dims in listed:
            for x in values(tensor, dims, seed):
                if len(dims) == 2:
                    out.write(formats.encode(fmt, x))
                else:
                    out.write((np.float32(1) + formats.rounded(fmt, x)).astype("<f4").tobytes())
            out.write(bytes(-out.tell() % ALIGNMENT))
