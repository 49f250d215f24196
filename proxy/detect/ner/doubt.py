"""What a model takes for a name and is none: code, numbers, eponyms, products. Pure; every rule says why.

Rules look at the spelling of the span and at its direct neighbours only, so nothing further off in a text can
switch a finding off.
"""

from __future__ import annotations

import re

from proxy.detect.ner.model import LOCATION, PERSON, Span

# Code in prose: sys.stdout, _name, name_, len(x), $name, a[name], <name>, key=name, --name, name::x, path\name.
_CODE_BEFORE = re.compile(r"(?:[_$\[{<=\\`]|\w\.|::|--|->)\Z")
_CODE_AFTER = re.compile(r"[_(\[=>}`\\@]|\.[^\W\d_]+[_.(]|\.[a-z]{1,10}\b|::|->")
_CAMEL = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z]").search
_CAMEL_NAME = re.compile(r"(?:Mc|Mac|De|Di|Da|Du|La|Le|Van|Von|Fitz|O['\u2019])[A-Z]").match

# Gaussian blur, Newton's second law: named after somebody long dead, and about nobody.
_THING = re.compile(
    r"(?:['\u2019]s)?(?:[ \t]+(?:first|second|third|linear|inverse))?[ \t]+(?:algorithm|approximation|blur|code"
    r"|coefficient|constant|cipher|conjecture|correlation|curve|diagram|distance|distribution|effect|equation|filter|formula"
    r"|function|inequality|integral|kernel|law|matrix|method|model|noise|number|optimi[sz]ation|paradox"
    r"|principle|process|product|ratio|rule|series|sort|space|test|theorem|theory|transform|tree|triangle)s?\b",
    re.IGNORECASE,
)

# Single words that are products, formats or systems far more often than people or places. Known to be names
# too (Jenkins, Kafka): so only when they stand alone, without a given name.
_THINGS = frozenset(
    """
    ajax android angular ansible apache ascii async atom azure bash bayesian bitcoin boolean cassandra chrome
    cobol cpython cuda curl cython debian delphi django docker drupal elastic elixir enum erlang ethereum
    excel fedora figma firefox firebase flask fortran gaussian gerrit git github gitlab gmail gnome google
    gradle grafana graphql groovy hadoop haskell helm heroku hibernate html http httpd ios iphone iso java
    javascript jenkins jira jquery json julia jupyter jython kafka keras kernel kibana kotlin kubernetes
    lambda laravel latex linux lisp lua macos magento mariadb markdown maven memcached mercurial minecraft
    mocha mongo mongodb mysql nagios nan netflix nginx node nodejs numpy ocaml odoo opera oracle outlook
    pandas pascal perl php photoshop playwright postgres postgresql prometheus puppet pypi pytest python
    pytorch qt rabbitmq rails react redis redux reddit regex ruby rust safari salesforce sass scala selenium
    sentry shopify skype slack snowflake solr sonar spark splunk spotify spring sql sqlite steam stripe
    svelte swift symfony syntax teams telegram tensorflow terraform tesla tomcat tornado travis twitch
    twitter typescript ubuntu unicode unix utf vagrant vim vue webpack webrtc whatsapp windows wordpress
    xcode xml yaml youtube zabbix zoom monday tuesday wednesday thursday friday saturday sunday january
    february april june july august september october november december christmas easter halloween okay
    thanks hello sorry please yes null none true false foo bar baz
    """.split()  # noqa: SIM905 - a list of 200 quoted words is no easier to read
)
_NUMBER_WORDS = re.compile(
    r"(?:rfc|pep|iso|section|version|port|code|error|exit(?:ed with)?|level|lap|step|node|line|page|chapter|utc"
    r"|gmt|limit|price|stage|wave|round|track|iteration|epoch|batch|build|ticket|issue|order|item|radius|hall)"
    r"(?:[ \t]+(?:code|no\.?|number|at|with))?[ \t]*#?\Z",
    re.IGNORECASE,
)


_DAYS = re.compile(
    r"(?:mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)\Z", re.IGNORECASE
)
_DATE_BEFORE = re.compile(r"[0-9](?:st|nd|rd|th)?\.?[ ,-]{1,2}\Z")
_DATE_AFTER = re.compile(r"\.?[ ,-]{1,2}[0-9]")


def doubtful(text: str, span: Span) -> bool:
    """Whether `span` of `text` is more likely no name or place."""
    if span.entity == PERSON:
        return _code(text, span) or _no_person(text, span)
    if span.entity == LOCATION:
        return _code(text, span) or _no_place(text, span)
    return False


def _code(text: str, span: Span) -> bool:
    value = text[span.start : span.end]
    if _DAYS.match(value) and (
        _DATE_BEFORE.search(text[max(0, span.start - 5) : span.start]) or _DATE_AFTER.match(text, span.end)
    ):
        return True
    if _CODE_BEFORE.search(text[max(0, span.start - 2) : span.start]) or _CODE_AFTER.match(text, span.end):
        return True
    single = " " not in value
    return single and _CAMEL(value) is not None and _CAMEL_NAME(value) is None


def _no_person(text: str, span: Span) -> bool:
    value = text[span.start : span.end]
    if any(char.isdigit() for char in value) or len(value) == 1:
        return True
    name = value.removesuffix("'s").removesuffix("\u2019s")
    single = name.isalpha()
    if single and (name.lower() in _THINGS or _THING.match(text, span.end)):
        return True
    # an acronym in a text that is not all in capitals
    return single and name.isupper() and len(name) <= 5 and span.score < 0.9 and not text.isupper()


def _no_place(text: str, span: Span) -> bool:
    value = text[span.start : span.end]
    if value.isalpha():
        return len(value) == 1 or value.lower() in _THINGS
    if _NUMBER_WORDS.search(text[max(0, span.start - 20) : span.start]):
        return True
    letters = re.findall(r"[^\W\d_]{2,}", value)
    if not any(len(word) > 2 or word.isupper() for word in letters):
        return bool(re.search(r"[^\W\d_]", value))  # "v3", "N, or"; a number alone may still join an address
    # "hall 3", "gg 75-77": a small word and a number are no address; "market street 3" has two words
    small = len(letters) == 1 and letters[0].islower() and value[0].isalpha()
    return small and (not text.islower() or len(letters[0]) < 4)
