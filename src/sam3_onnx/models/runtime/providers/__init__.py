"""Execution providers: their names, which are tried, in which precision, and the proof that they answer rightly."""
