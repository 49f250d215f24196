"""Proving the log: that nobody has changed it, and that one event is in it. Checkpoints kept elsewhere."""
