"""How fast is the library, and against what? `python -m benchmarks.run all` measures and prints it."""
