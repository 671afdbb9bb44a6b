"""The formats of picture files: whether a file is whole, and which part of it holds the pixels."""
