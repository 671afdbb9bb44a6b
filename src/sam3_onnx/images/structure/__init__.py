"""Structure of picture files, by format: checks that a file is complete, and finds the part with the pixels."""
