"""The published kinds of SAM 3 exports, one file each, behind the protocols of `protocol.py`."""
