#!/usr/bin/env python3
"""Another process on the GPU, for scripts/gpu_runs.py: takes memory and gives it back as it is told, and watches what
is free, as the driver says. One command a line on stdin, one answer a line on stdout; it ends with its input.

  leave MIB   takes so much that MIB are free, and keeps it     -> free bytes
  free        gives all of that back                            -> free bytes
  watch       begins to look at what is free, 200 times a second -> free bytes
  seen        ends that                                          -> the lowest that was seen
"""
import sys
import threading
import time

import torch

MIB = 1 << 20
LOOK_SECONDS = 0.005


def free_bytes():
    return torch.cuda.mem_get_info()[0]


def leave(held, bytes_left):
    block = 256 * MIB
    while block >= MIB:
        if free_bytes() - bytes_left < block:
            block //= 2
            continue
        try:
            held.append(torch.empty(block, dtype=torch.uint8, device="cuda"))
        except torch.cuda.OutOfMemoryError:
            block //= 2
    torch.cuda.synchronize()


class Watch(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        self.lowest = free_bytes()
        self.on = True

    def run(self):
        while self.on:
            self.lowest = min(self.lowest, free_bytes())
            time.sleep(LOOK_SECONDS)


def main():
    torch.empty(1, device="cuda")  # the context, before anything is measured
    held, watch = [], None
    print(free_bytes(), flush=True)
    for line in sys.stdin:
        words = line.split()
        if words[0] == "leave":
            leave(held, int(words[1]) * MIB)
        elif words[0] == "free":
            held.clear()
            torch.cuda.empty_cache()
        elif words[0] == "watch":
            watch = Watch()
            watch.start()
        elif words[0] == "seen":
            watch.on = False
            watch.join()
            print(watch.lowest, flush=True)
            continue
        print(free_bytes(), flush=True)


main()
