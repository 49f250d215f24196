"""Operators with keys or a memory: hash, encrypt, fake, tokenize, and what turns their work back.

Knows the core only: what is written in rule files, and how, is proxy/rulebook's. A key, a value or a secret is
never logged, and no exception of this room holds one.
"""
