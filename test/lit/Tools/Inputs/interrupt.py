# Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Sends SIGINT to a compile as soon as it has begun to write, and prints how it ended.

usage: interrupt.py OUT COMMAND...
"""
import os
import signal
import subprocess
import sys
import time

# A shell may start background jobs with SIGINT ignored; the compile must not inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
process = subprocess.Popen(sys.argv[2:])
while process.poll() is None and not os.path.exists(sys.argv[1] + ".tmp"):
    time.sleep(0.005)
process.send_signal(signal.SIGINT)
status = process.wait()
print("ended by", signal.Signals(-status).name if status < 0 else status)
