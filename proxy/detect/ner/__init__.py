"""Names and addresses in prose, found by a language model. The extra `[ner]`; every import of it is lazy.

`prose` says what is worth reading, `window` cuts it, a model (`rampart`, `adapters`) tags it, `words`, `doubt` and
`address` make spans of the tags, `cache` remembers them, and `names` is the door. Which model: `models`.
Nothing here knows sockets, rules or leaves, and no file here may import a model's library when it is imported.
"""

from proxy.detect.ner.models import MISSING, available, open_model
from proxy.detect.ner.names import Names

__all__ = ["MISSING", "Names", "available", "open_model"]
