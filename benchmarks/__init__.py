"""Measurements of the whole proxy against its peers. Start with `python -m benchmarks.relay --help`."""
