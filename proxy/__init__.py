"""Hushwire: a privacy filter for WebSockets. Rooms and the import law: see tests/test_house.py."""

__version__ = "0.1.0"
