"""What is surely something else than the value of a person, whatever its key says.

Words of forms, of schemas and of error messages, links, and ids of a database: what several modules of this
package say no to. What one of them alone refuses stands there.
"""

# ruff: noqa: SIM905 - words are easier to read than lists of them

from __future__ import annotations

import re

humps = re.compile(r"[a-z][A-Z]").findall  # of camelCase
is_id = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[0-9a-fA-F]{24,}").fullmatch
is_link = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://|www\.|/|\{\{|<|\$\{|%[(s]").match

NOBODY = frozenset(
    """
    admin administrator default root system user guest test tester unknown none null nil na n/a anonymous true
    false string bot server client public private everyone me self name required optional yes no undefined all
    any other new primary text value enabled disabled active inactive pending auto manual internal external
    service support moderator assistant developer tool function owner member redacted hidden masked deleted
    invalid empty missing error ok success failed object array number integer boolean email phone address city
    street password username varchar char date datetime timestamp uuid json jsonb bool float double decimal
    select input checkbox hidden asc desc
    """.split()
)
# Words of sentences: error messages and hints stand under the names of fields too.
SENTENCE = frozenset(
    """
    is are be been was were must can't cannot can't could should has have not isn't wasn't required invalid missing
    blank already taken too please enter your please, expected allowed needed unknown provided exist exists
    ist sind muss darf nicht bitte est requis obligatoire doit es requerido obligatorio debe deve richiesto
    """.split()
)
