# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The shapes of the Gemma models that benchmarks and tests imitate, and their random weights."""
import dataclasses
import zlib

import numpy as np


@dataclasses.dataclass
class Shape:
    """One Gemma text model; names follow the published configurations."""

    arch: str  # gemma, gemma2 or gemma3
    layers: int
    hidden: int
    mlp: int
    heads: int
    kv_heads: int
    head_dim: int
    vocab: int
    context: int
    window: int = 0
    attention_cap: float = 0.0
    final_cap: float = 0.0
    rope_base: float = 10000.0
    rope_base_local: float = 0.0

    @property
    def four_norms(self):
        return self.arch != "gemma"


SHAPES = {
    "gemma-2b": Shape("gemma", 18, 2048, 16384, 8, 1, 256, 256000, 8192),
    "gemma2-2b": Shape("gemma2", 26, 2304, 9216, 8, 4, 256, 256000, 8192, window=4096,
                       attention_cap=50.0, final_cap=30.0),
    "gemma3-1b": Shape("gemma3", 26, 1152, 6912, 4, 1, 256, 262144, 32768, window=512,
                       rope_base=1e6, rope_base_local=1e4),
    "gemma3-270m": Shape("gemma3", 18, 640, 2048, 4, 1, 256, 262144, 32768, window=512,
                         rope_base=1e6, rope_base_local=1e4),
    # The ratios of real models at the size of a test, one line each for what it exercises:
    # 8:1 grouping and head_dim 256
    "test-gqa8": Shape("gemma", 2, 264, 544, 8, 1, 256, 1024, 512),
    # 2:1 grouping, head_dim 128, soft caps, a window, hidden no multiple of 64
    "test-gqa2": Shape("gemma2", 3, 232, 352, 4, 2, 128, 1024, 512, window=16, attention_cap=50.0,
                       final_cap=30.0),
    # 4:1 grouping, q/k norms, both rope bases, seven layers so that one is global
    "test-gqa4": Shape("gemma3", 7, 200, 288, 4, 1, 64, 1024, 512, window=16, rope_base=1e6,
                       rope_base_local=1e4),
    # 1:1 grouping, rows that are multiples of 32, for the block formats
    "test-mha": Shape("gemma3", 7, 160, 320, 3, 3, 64, 1024, 512, window=16, rope_base=1e6,
                      rope_base_local=1e4),
}

# Hugging Face name of each tensor: prefix "model." and these.
_LAYER = [
    ("attn_norm", "input_layernorm"),
    ("attn_q", "self_attn.q_proj"),
    ("attn_k", "self_attn.k_proj"),
    ("attn_v", "self_attn.v_proj"),
    ("attn_output", "self_attn.o_proj"),
    ("attn_q_norm", "self_attn.q_norm"),
    ("attn_k_norm", "self_attn.k_norm"),
    ("post_attention_norm", "post_attention_layernorm"),
    ("ffn_norm", "pre_feedforward_layernorm"),
    ("ffn_gate", "mlp.gate_proj"),
    ("ffn_up", "mlp.up_proj"),
    ("ffn_down", "mlp.down_proj"),
    ("post_ffw_norm", "post_feedforward_layernorm"),
]


def tensors(shape):
    """Yields (GGUF name, HF name, dimensions as (rows, columns) or (n,))."""
    q, kv = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    dims = {
        "attn_norm": (shape.hidden,), "ffn_norm": (shape.hidden,),
        "post_attention_norm": (shape.hidden,), "post_ffw_norm": (shape.hidden,),
        "attn_q_norm": (shape.head_dim,), "attn_k_norm": (shape.head_dim,),
        "attn_q": (q, shape.hidden), "attn_k": (kv, shape.hidden), "attn_v": (kv, shape.hidden),
        "attn_output": (shape.hidden, q), "ffn_gate": (shape.mlp, shape.hidden),
        "ffn_up": (shape.mlp, shape.hidden), "ffn_down": (shape.hidden, shape.mlp),
    }
    yield "token_embd.weight", "model.embed_tokens.weight", (shape.vocab, shape.hidden)
    for layer in range(shape.layers):
        for gguf, hf in _LAYER:
            if gguf.startswith(("attn_q_norm", "attn_k_norm")) and shape.arch != "gemma3":
                continue
            if gguf.startswith("post_") and not shape.four_norms:
                continue
            if gguf == "ffn_norm" and not shape.four_norms:
                hf = "post_attention_layernorm"
            yield f"blk.{layer}.{gguf}.weight", f"model.layers.{layer}.{hf}.weight", dims[gguf]
    yield "output_norm.weight", "model.norm.weight", (shape.hidden,)


def values(name, dims, seed, rows_at_once=4096):
    """Yields float32 arrays of a few rows each. Matrices are N(0, 1/columns); norms are the stored
    w ~ N(0, 0.05²) of a Hugging Face checkpoint. Depends on the seed and the GGUF name alone."""
    rng = np.random.Generator(np.random.PCG64([seed, zlib.crc32(name.encode())]))
    if len(dims) == 1:
        yield np.float32(0.05) * rng.standard_normal(dims, dtype=np.float32)
        return
    rows, columns = dims
    for begin in range(0, rows, rows_at_once):
        count = min(rows_at_once, rows - begin)
        x = rng.standard_normal((count, columns), dtype=np.float32)
        x *= np.float32(1.0 / np.sqrt(columns))
        yield x
