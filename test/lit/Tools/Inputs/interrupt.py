# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Sends SIGINT to a compile as soon as it has begun to write, and prints how it ended. OUT is there
from before, and is whole again where the compile ended by itself.

usage: interrupt.py [--ignored] OUT COMMAND...

  --ignored   start the compile as nohup would: with SIGINT ignored
"""
import os
import signal
import subprocess
import sys
import time

# A shell may start background jobs with SIGINT ignored; the compile must not inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
ignored = sys.argv[1] == "--ignored"
out, *command = sys.argv[2:] if ignored else sys.argv[1:]
with open(out, encoding="utf-8") as file:
    old = file.read()
# On a busy machine a compile may have ended before the signal comes: try again then.
for _ in range(10):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               preexec_fn=(lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)) if ignored else None)
    while process.poll() is None and not os.path.exists(out + ".tmp"):
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    status = process.wait()
    if status != 0 or ignored:
        break
    with open(out, "w", encoding="utf-8") as file:
        file.write(old)
print("ended by", signal.Signals(-status).name if status < 0 else status)
