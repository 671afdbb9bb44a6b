"""A fuzzer of everything that reads other people's files: pictures and label files.

`python -m tools.fuzz pictures --count 20000 --seed 1` makes whole files, changes each in a way that says what a reader
has to make of it, and reads them in processes with limits on time and memory.
"""
