"""Whether a value looks possible for what its key says it is. A key alone is no proof: `"city": "enabled"`.

One module for each sort of values, and `other` for what is a value of no sort. All are pure functions on one
trimmed text that is not empty, for proxy/detect/keys.py, which also bounds its length. They say no to what is
surely something else (URLs, ids, enumerations, placeholders), and ask for no more than the key promises.
"""
