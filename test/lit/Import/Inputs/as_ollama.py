# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Rewrites the metadata of a Gemma 3 GGUF file as Ollama's converter has it: other names for the RoPE
bases, no epsilon, a piece too many, no word on a space before the text.

usage: as_ollama.py IN OUT
"""
import struct
import sys

SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
STRING, ARRAY = 8, 9
RENAMED = {b"gemma3.rope.freq_base": b"gemma3.rope.global.freq_base",
           b"gemma3.rope.freq_base_swa": b"gemma3.rope.local.freq_base"}
DROPPED = {b"gemma3.attention.layer_norm_rms_epsilon", b"tokenizer.ggml.add_space_prefix"}
EXTRA = {b"tokenizer.ggml.tokens": struct.pack("<Q", 6) + b"<soft>",
         b"tokenizer.ggml.scores": struct.pack("<f", 0), b"tokenizer.ggml.token_type": struct.pack("<i", 4)}


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, layout):
        return struct.unpack("<" + layout, self.take(struct.calcsize(layout)))[0]

    def string(self):
        return self.take(self.number("Q"))

    def skip_value(self, kind):
        self.take(self.number("Q") if kind == STRING else SIZES[kind])


def rewrite_keys(reader, count):
    keys = []
    for _ in range(count):
        name, kind, begin = reader.string(), reader.number("I"), reader.at
        if kind == ARRAY:
            element, length, begin = reader.number("I"), reader.number("Q"), reader.at
            for _ in range(length):
                reader.skip_value(element)
            value = reader.data[begin:reader.at]
            if name in EXTRA:
                value, length = value + EXTRA[name], length + 1
            value = struct.pack("<IQ", element, length) + value
        else:
            reader.skip_value(kind)
            value = reader.data[begin:reader.at]
        if name in DROPPED:
            continue
        name = RENAMED.get(name, name)
        keys.append(struct.pack("<Q", len(name)) + name + struct.pack("<I", kind) + value)
    return keys


def main(source, target):
    with open(source, "rb") as file:
        reader = Reader(file.read())
    magic, version, tensors, count = (reader.take(4), reader.number("I"), reader.number("Q"),
                                      reader.number("Q"))
    keys = rewrite_keys(reader, count)
    begin = reader.at
    for _ in range(tensors):
        reader.string()
        reader.take(8 * reader.number("I") + 4 + 8)
    described = reader.data[begin:reader.at]
    data = reader.data[-(-reader.at // 32) * 32:]
    header = magic + struct.pack("<IQQ", version, tensors, len(keys)) + b"".join(keys) + described
    with open(target, "wb") as file:
        file.write(header + b"\0" * (-len(header) % 32) + data)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
