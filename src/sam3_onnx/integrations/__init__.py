"""Integrations of sessions into other frameworks, one file for each framework."""
