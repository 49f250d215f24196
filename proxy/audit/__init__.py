"""The audit log: what was removed, by which rule, on which connection, provably, and without the data itself.

Files within: events (what a line says), layout (where everything is), tree and checkpoint (the proof), then
writing, reading and looking things up. Nothing in here can hold a value that was found: no event has a
field for one.
"""
