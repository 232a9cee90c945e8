#!/usr/bin/env python3
# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From a checkpoint's tokenizer and chat template to what the binary does with text.

usage: text_test.py RLX_COMPILE CHECKPOINT
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

COMPILE, CHECKPOINT = sys.argv[1:3]

# Written for this test, in the turn format of Gemma 3.
TURNS = """{% if messages[0]['role'] == 'system' %}
{% set first_user_prefix = messages[0]['content'] + '\\n\\n' %}{% set loop_messages = messages[1:] %}
{% else %}{% set first_user_prefix = '' %}{% set loop_messages = messages %}{% endif %}
{% for m in loop_messages %}
{% if m['role'] == 'assistant' %}{% set role = 'model' %}{% else %}{% set role = m['role'] %}{% endif %}
{{ '<start_of_turn>' + role + '\\n' + (first_user_prefix if loop.first else '') }}
{{ m['content'] | trim }}{{ '<end_of_turn>\\n' }}{% endfor %}
{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}"""


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, **options)


class TextTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.checkpoint = os.path.join(self.folder, "checkpoint")
        shutil.copytree(CHECKPOINT, self.checkpoint)

    def add(self, name, text):
        with open(os.path.join(self.checkpoint, name), "w", encoding="utf-8") as out:
            out.write(text)

    def compile(self):
        binary = os.path.join(self.folder, "model")
        result = run(COMPILE, self.checkpoint, "-o", binary)
        self.assertEqual(result.returncode, 0, result.stderr)
        return binary, result.stdout + result.stderr

    def ids(self, *command):
        result = run(*command, "-n", "8", "--temperature", "0", "--print-ids")
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def test_known_chat_template(self):
        self.add("tokenizer_config.json", json.dumps({"chat_template": TURNS}))
        binary, _ = self.compile()
        self.assertEqual(json.loads(run(binary, "info", "--json").stdout)["turn_format"], "gemma")
        turn = "<start_of_turn>user\nBe kind.\n\nWho are you?<end_of_turn>\n<start_of_turn>model\n"
        self.assertEqual(self.ids(binary, "Who are you? ", "--system", "Be kind."),
                         self.ids(binary, turn, "--raw"))

    def test_unknown_chat_template(self):
        self.add("chat_template.jinja", "[INST] {{ messages[0]['content'] }} [/INST]")
        binary, output = self.compile()
        self.assertIn("chat template (SHA-256 ", output)
        self.assertIsNone(json.loads(run(binary, "info", "--json").stdout)["turn_format"])
        self.assertEqual(self.ids(binary, "ROMEO:"), self.ids(binary, "ROMEO:", "--raw"))
        refused = run(binary, "Hello", "--system", "Be kind.")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("--system needs a chat template", refused.stderr)

    def test_without_tokenizer(self):
        os.remove(os.path.join(self.checkpoint, "tokenizer.model"))
        binary, output = self.compile()
        self.assertIn("no tokenizer", output)
        self.assertRegex(self.ids(binary, "--ids", "2,5,6,7"), r"^\d+(,\d+)*\n$")
        refused = run(binary, "Hello")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("without a tokenizer", refused.stderr)

    def test_damaged_tokenizer(self):
        path = os.path.join(self.checkpoint, "tokenizer.model")
        os.truncate(path, os.path.getsize(path) - 40)
        binary = os.path.join(self.folder, "model")
        result = run(COMPILE, self.checkpoint, "-o", binary)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("tokenizer.model: ", result.stderr)
        self.assertFalse(os.path.exists(binary))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
