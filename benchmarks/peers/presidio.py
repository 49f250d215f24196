"""Plain Presidio, ready to look: an AnalyzerEngine with a language model of spaCy's, or with none.

    python -m benchmarks.peers.presidio MODEL|none

No proxy: it only says that it is ready, and waits to be ended.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys

import tldextract
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NoOpNlpEngine, SpacyNlpEngine


def main(model: str) -> None:
    """Load, look once, tell, wait."""
    logging.getLogger("presidio-analyzer").disabled = True
    # as it comes, it fetches the list of public suffixes from the network at its first e-mail
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=()).__call__
    models = [{"lang_code": "en", "model_name": model}]
    engine = NoOpNlpEngine(models=models) if model == "none" else SpacyNlpEngine(models=models)
    analyzer = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])
    assert analyzer.analyze("write to bob@example.com", language="en")
    print(json.dumps({"event": "ready", "pid": os.getpid()}), flush=True)
    signal.pause()


if __name__ == "__main__":
    main(sys.argv[1])
