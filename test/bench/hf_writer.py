# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a Hugging Face folder: config.json, safetensors (in shards if large), tokenizer.model."""
import json
import os
import struct

import formats
import numpy as np
from shapes import tensors, values
from vocabulary import vocabulary

DTYPES = {"f32": "F32", "f16": "F16", "bf16": "BF16"}
TORCH = {"f32": "float32", "f16": "float16", "bf16": "bfloat16"}


def _config(shape, fmt):
    config = {
        "architectures": [{"gemma": "Gemma", "gemma2": "Gemma2", "gemma3": "Gemma3"}[shape.arch]
                          + "ForCausalLM"],
        "model_type": "gemma3_text" if shape.arch == "gemma3" else shape.arch,
        "vocab_size": shape.vocab, "hidden_size": shape.hidden, "intermediate_size": shape.mlp,
        "num_hidden_layers": shape.layers, "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads, "head_dim": shape.head_dim,
        "max_position_embeddings": shape.context, "rms_norm_eps": 1e-6,
        "rope_theta": shape.rope_base, "hidden_activation": "gelu_pytorch_tanh",
        "tie_word_embeddings": True, "bos_token_id": 2, "eos_token_id": 1, "pad_token_id": 0,
        "torch_dtype": TORCH[fmt],
    }
    if shape.arch != "gemma":
        config.update(sliding_window=shape.window, query_pre_attn_scalar=shape.head_dim,
                      attn_logit_softcapping=shape.attention_cap or None,
                      final_logit_softcapping=shape.final_cap or None)
    if shape.arch == "gemma3":
        config.update(rope_local_base_freq=shape.rope_base_local, sliding_window_pattern=6,
                      rope_scaling=None)
    return config


def _varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _field(number, wire, data):
    return _varint(number << 3 | wire) + data


def _message(number, data):
    return _field(number, 2, _varint(len(data)) + data)


def _sentencepiece(shape):
    """A ModelProto, written by hand: it is three message types with a handful of fields."""
    pieces, scores, types = vocabulary(shape.vocab, shape.arch == "gemma3")
    out = []
    for piece, score, kind in zip(pieces, scores, types):
        body = _message(1, piece.encode("utf-8")) + _field(2, 5, struct.pack("<f", score))
        if kind != 1:
            body += _field(3, 0, _varint(kind))
        out.append(_message(1, body))
    trainer = (_field(3, 0, _varint(2)) + _field(4, 0, _varint(shape.vocab))  # BPE
               + _field(35, 0, _varint(1))  # byte fallback
               + _field(40, 0, _varint(3)) + _field(41, 0, _varint(2))
               + _field(42, 0, _varint(1)) + _field(43, 0, _varint(0))
               + _message(45, b"<unk>") + _message(46, b"<bos>") + _message(47, b"<eos>")
               + _message(48, b"<pad>"))
    normalizer = (_message(1, b"identity") + _field(3, 0, _varint(0)) + _field(4, 0, _varint(0))
                  + _field(5, 0, _varint(1)))
    out += [_message(2, trainer), _message(3, normalizer)]
    return b"".join(out)


def _write_shard(path, listed, fmt, seed):
    header, offset = {}, 0
    for _, name, dims in listed:
        size = formats.size(fmt, int(np.prod(dims)))
        header[name] = {"dtype": DTYPES[fmt], "shape": list(dims),
                        "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for tensor, _, dims in listed:
            for x in values(tensor, dims, seed):
                out.write(formats.encode(fmt, x))


def _shards(shape, fmt, limit):
    shard, size = [], 0
    for entry in tensors(shape):
        more = formats.size(fmt, int(np.prod(entry[2])))
        if shard and size + more > limit:
            yield shard
            shard, size = [], 0
        shard.append(entry)
        size += more
    yield shard


def write(folder, shape, fmt, seed, shard_bytes=1 << 31):
    """Writes the checkpoint; norms hold w, as Hugging Face's Gemma classes want."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "config.json"), "w") as out:
        json.dump(_config(shape, fmt), out, indent=2)
    with open(os.path.join(folder, "generation_config.json"), "w") as out:
        json.dump({"bos_token_id": 2, "eos_token_id": 1, "pad_token_id": 0}, out)
    with open(os.path.join(folder, "tokenizer.model"), "wb") as out:
        out.write(_sentencepiece(shape))
    shards = list(_shards(shape, fmt, shard_bytes))
    if len(shards) == 1:
        _write_shard(os.path.join(folder, "model.safetensors"), shards[0], fmt, seed)
        return
    index = {}
    for i, shard in enumerate(shards):
        file = f"model-{i + 1:05}-of-{len(shards):05}.safetensors"
        _write_shard(os.path.join(folder, file), shard, fmt, seed)
        index.update({name: file for _, name, _ in shard})
    with open(os.path.join(folder, "model.safetensors.index.json"), "w") as out:
        json.dump({"metadata": {}, "weight_map": index}, out)
