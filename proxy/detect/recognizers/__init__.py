"""Our own recognizers, one file per family: `ours()` is a set of all of them.

They follow the contract in proxy/detect/recognizer.py: what is found depends on the text around a trigger's match
alone, so looking at windows and looking at everything give the same findings.
"""

from __future__ import annotations

from proxy.detect.recognizer import Recognizer
from proxy.detect.recognizers.card import Card
from proxy.detect.recognizers.email import Email
from proxy.detect.recognizers.forms import SECRETS
from proxy.detect.recognizers.labelled import LABELLED
from proxy.detect.recognizers.phone import Phone
from proxy.detect.recognizers.url import UserInfo


def ours() -> tuple[Recognizer, ...]:
    """Every recognizer of ours; they keep nothing between calls, so one set serves all threads."""
    return (Email(), Phone(), Card(), UserInfo(), *LABELLED, *SECRETS)
