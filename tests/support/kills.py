"""A program that kills itself at one of its steps."""

from __future__ import annotations

SELF_KILLING = """
import os, signal, sys

folder, last, steps = sys.argv[1], int(sys.argv[2]), 0

def step():
    global steps
    steps += 1
    if steps == last:
        os.kill(os.getpid(), signal.SIGKILL)

def hear(event, arguments):
    if event in {"open", "os.rename", "os.remove"} and str(arguments[0]).startswith(folder):
        step()

def slowly(descriptor, really=os.fsync):
    step()
    really(descriptor)

sys.addaudithook(hear)
os.fsync = slowly
"""
"""What such a program begins with: its arguments are a folder, the step, 0 for none, and whatever else it takes.

Steps are those at which what is in the folder may change. Killed from outside, a program would be at another step on
each machine, and on a fast one at none."""
