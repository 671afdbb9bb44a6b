"""Checks, files, folders, limits of the machine and versions: what every part may use; nothing here knows of SAM 3."""
