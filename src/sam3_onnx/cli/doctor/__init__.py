"""The self-check: what this machine is, what is installed on it, and whether the library works there."""
