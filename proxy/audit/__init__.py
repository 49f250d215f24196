"""The audit log: what was removed, by which rule, on which connection, provably, and without the data itself.

Files: events (what a line says), layout (where everything is), tree and checkpoint (the proof), blocks, marks and
bodies (what is read). Rooms: writing, proof, people, reading, sinks; who may know whom is in tests/test_house.py.
Nothing in here can hold a value that was found: no event has a field for one.
"""
