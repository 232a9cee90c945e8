# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Sends SIGINT to a compile as soon as it has begun to write, and prints how it ended. OUT is there
from before, and is whole again where the compile ended by itself.

usage: interrupt.py OUT COMMAND...
"""
import os
import signal
import subprocess
import sys
import time

# A shell may start background jobs with SIGINT ignored; the compile must not inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
with open(sys.argv[1], encoding="utf-8") as file:
    old = file.read()
# On a busy machine a compile may have ended before the signal comes: try again then.
for _ in range(10):
    process = subprocess.Popen(sys.argv[2:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not os.path.exists(sys.argv[1] + ".tmp"):
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    status = process.wait()
    if status != 0:
        break
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write(old)
print("ended by", signal.Signals(-status).name if status < 0 else status)
