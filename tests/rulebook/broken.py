r"""Rule files that cannot go live: what is wrong with each, and where.

`>>` stands before whatever is meant, and is not part of the file; without it the file as a whole is meant. Many
are complaints about other tools, which take such files in silence; their issues stand beside them. Beside the file
lie those of FILES.
"""

from __future__ import annotations

from typing import NamedTuple

FILES: dict[str, bytes] = {
    "list.txt": b"Blue Heron\nRed Fox\n",
    "empty.txt": b"# nobody\n\n",
    "latin.txt": "M\u00fcller\n".encode("latin-1"),
    "base.yaml": b"version: 1\nrules:\n  - {id: mail, entities: [EMAIL_ADDRESS], action: replace}\n",
    "other.yaml": b"version: 1\nrules:\n  - {id: mail, entities: [EMAIL_ADDRESS], action: keep}\n",
    "keyed.yaml": b"version: 1\nkeys: {PERSON: [alias]}\n",
    "keyed2.yaml": b"version: 1\nkeys: {PERSON: [handle]}\n",
    "loop.yaml": b"version: 1\nextends: [./my.yaml]\n",
    "latin.yaml": "version: 1\nname: M\u00fcller\n".encode("latin-1"),
    "registry.yaml": b"recognizers:\n  - {name: R, supported_entity: ROOM, "
                     b"patterns: [{name: r, regex: R, score: 9}]}\n",
}  # fmt: skip


class Broken(NamedTuple):
    """`code` of the one fault, a `part` of what is said, and the `text` of the file."""

    code: str
    part: str
    text: str


def _top(*rows: tuple[str, str, str]) -> list[Broken]:
    """Keys of a file."""
    return [Broken(code, part, f"version: 1\n{text}\n") for code, part, text in rows]


def _rule(*rows: tuple[str, str, str]) -> list[Broken]:
    """Keys of a rule that has an id."""
    more = ", entities: [CRYPTO]", ", action: keep"
    found = []
    for code, part, text in rows:
        bare = text.replace(">>", "")
        missing = "".join(one for one in more if one.split(":")[0].strip(", ") + ":" not in bare)
        found.append(Broken(code, part, f"version: 1\nrules:\n  - {{id: a{missing}, {text}}}\n"))
    return found


def _entity(*rows: tuple[str, str, str]) -> list[Broken]:
    """Keys of an entity that a rule is about."""
    head = "version: 1\nrules: [{id: a, entities: ['*'], action: keep}]\nentities:\n  BADGE: "
    return [Broken(code, part, f"{head}{{{text}}}\n") for code, part, text in rows]


PATTERN = "patterns: [{regex: 'B-\\d\\d', score: 0.9}]"

WHOLE = [
    Broken("E006", "the file is empty; the smallest is: version: 1", ""),
    Broken("E006", "the file is empty", "# nothing\n"),
    Broken("E012", "must be a mapping", "---\n>>"),
    Broken("E012", "must be a mapping", ">>- a\n"),
    Broken("E012", "must be a mapping", ">>version\n"),
    Broken("E010", "the key 'version' is missing", ">>rules: []\n"),
    Broken("E013", "must be 1, the only version", "version: >>2\n"),
    Broken("E013", "must be 1, the only version", 'version: >>"1"\n'),
    Broken("E013", "must be 1, the only version", "version: >>1.0\n"),
    Broken("E013", "must be 1, the only version", "version:>>\n"),
    Broken("E011", "did you mean 'version'?", ">>Version: 1\n"),
    Broken("E011", "did you mean 'version'?", ">>verison: 1\nrules: []\n"),
    Broken(
        "E006",
        "nested more than 32 levels",
        "version: 1\ntests: [{name: a, send: {body: "
        + "[" * 29
        + ">>[]"
        + "]" * 29
        + "}, upstream_gets: {body: 1}}]\n",
    ),
    Broken("E006", "more than 1048576 characters; split the rules", "# " + "x" * (1 << 20)),
]
WHOLE += [
    Broken("E003", "not YAML", "version: 1\nrules: {a: b\n>>"),
    Broken("E003", "not YAML", "version: 1\nname: 'x\n>>"),
]
YAML = _top(
    ("E003", "not YAML", "\t>>name: x".replace("\t>>", ">>\t")),
    ("E003", "indent with spaces", "rules:\n  - id: a\n>>\taction: keep"),
    ("E003", "not YAML", "rules: [a, b\nname>>: x"),
    ("E003", "not YAML", "name: a>>: b"),
    ("E003", "not YAML", "name: >>@x"),
    ("E003", "not YAML", "name: >>%x"),
    ("E003", "not YAML", "rules:\n  - id: a\n >>- id: b"),
    ("E003", "not YAML", "rules:\n  - {id: a} >>x"),
    ("E003", "not YAML", ">>---\nversion: 1"),
    ("E003", "a control character", "name: a>>\x00b"),
    ("E003", "a control character", "name: a>>\x1bb"),
    ("E003", "not YAML", 'name: "\\>>q"'),
    ("E004", "anchors and aliases are not supported; write it out", "name: >>&n x\ndescription: *n"),
    ("E004", "anchors and aliases", "rules: >>&r [*r]"),
    ("E004", "tags (!name) are not supported", "name: >>!secret x"),
    ("E004", "tags", "name: >>!!python/object/apply:os.system [x]"),
    ("E004", "tags", "name: >>!!binary aGk="),
    ("E004", "tags", "rules: >>!!set {a}"),
    ("E004", "a key must be a text; put it in quotes", ">>1: x"),
    ("E004", "a key must be a text", ">>true: x"),
    ("E004", "a key must be a text", ">>null: x"),
    ("E004", "a key must be a text", "? >>[a]\n: x"),
    ("E005", "the key 'name' stands here for a second time", "name: a\n>>name: b"),
    ("E005", "'rules' stands here for a second time", "rules: []\nname: a\n>>rules: []"),  # trufflehog #1392
    ("E005", "'version' stands here for a second time", ">>version: 1"),
    ("E005", "'mail' stands", "keys: {PERSON: [a], >>PERSON: [b]}".replace("PERSON", "mail")),
)
YAML[-1] = Broken("E005", "'PERSON' stands", "version: 1\nkeys: {PERSON: [alias], >>PERSON: [nick]}\n"
                  "rules: [{id: a, entities: [PERSON], action: keep}]\n")  # fmt: skip
TOP = _top(
    ("E011", "did you mean 'threshold'?", ">>treshold: 0.6"),
    ("E011", "did you mean 'threshold'?", ">>min_score: 0.6"),
    ("E011", "did you mean 'rules'?", ">>rule: []"),
    ("E011", "did you mean 'extends'?", ">>include: [default]"),
    ("E011", "did you mean 'allow'?", ">>allow_list: []"),
    ("E011", "did you mean 'recognizers'?", ">>recognisers: []"),
    ("E011", "did you mean 'keys'?", ">>Keys: {}"),
    ("E011", "unknown key 'streams'; known are", ">>streams: []"),
    ("E011", "unknown key '<<'", ">><<: {name: x}"),
    ("E011", "unknown key 'language'", ">>language: en"),
    ("E012", "must be a number", 'threshold: >>"0.5"'),
    ("E012", "must be a number", "threshold: >>NO"),  # YAML 1.1 reads false
    ("E012", "must be a number", "threshold: >>.inf"),
    ("E013", "must be 1.0 or less", "threshold: >>1.5"),
    ("E013", "must be 0.0 or more", "threshold: >>-0.1"),
    ("E012", "must be a text; put it in quotes", "name: >>5"),
    ("E012", "must be a text", "name: >>[x]"),
    ("E013", "must not be empty", 'name: >>""'),
    ("E013", "at most 64 characters", f"name: >>{'x' * 65}"),
    ("E013", "must be 'enforce' or 'shadow'; did you mean 'shadow'?", "mode: >>dry-run"),
    ("E013", "did you mean 'shadow'?", "mode: >>shaddow"),
    ("E013", "did you mean 'enforce'?", "mode: >>on"),
    ("E012", "must be a list; put it in [ ]", "extends: >>default"),
    ("E012", "must be a list", "rules: >>{}"),
    ("E012", "must be a list", "rules:>>"),
    ("E012", "must be a mapping", "rules: [>>emails]"),
    ("E012", "must be a mapping", "entities: >>[CRYPTO]"),
    ("E012", "must be a mapping", "structure: >>[$.id]"),
    ("E017", "did you mean 'de'?", "countries: [>>germany]\nrules: [{id: a, entities: ['*'], action: keep}]"),
    ("E017", "did you mean 'de'?", "countries: [>>DE]\nrules: [{id: a, entities: ['*'], action: keep}]"),
    ("E017", "unknown country 'fr'; known are au, ca", "countries: [>>fr]"),
    ("E012", "must be a text", "countries: [>>1]"),
    ("E035", "no rule is about what this finds", "countries: [>>pl]"),
    ("E018", "unknown rules 'defualt'; did you mean 'default'?", "extends: [>>defualt]"),
    ("E018", "a file needs its path: ./base.yaml", "extends: [>>base]"),
    ("E001", "No such file or directory; a path is read from", "extends: [>>./none.yaml]"),
    ("E001", "Is a directory", "extends: [>>./]"),
    ("E001", "this is no path", 'extends: [>>"./a\\0.yaml"]'),
    ("E002", "not UTF-8 at byte 18", "extends: [>>./latin.yaml]"),
    ("E019", "these rules extend themselves, by way of my.yaml", "extends: [>>./my.yaml]"),
    ("E013", "must not be empty", 'extends: [>>""]'),
    ("E036", "base.yaml and other.yaml have different rules", "extends: >>[./base.yaml, ./other.yaml]"),
    ("E036", "have different keys for 'PERSON'", "extends: >>[./keyed.yaml, ./keyed2.yaml]"),
    ("E024", "did you mean '$.id'?", "structure: {ignore: [>>id]}"),
    ("E024", "did you mean '$.items[].id'?", 'structure: {ignore: [>>"$.items[*].id"]}'),
    ("E024", "a path begins with $; did you mean '$.user.id'?", "structure: {ignore: [>>/user/id]}"),
    ("E024", "no path from character 4", 'structure: {ignore: [>>"$.a b"]}'),
    ("E024", "as in JSON", """structure: {ignore: [>>'$["\\x"]']}"""),
    (
        "E018",
        "unknown subprotocol 'graphql'; did you mean 'graphql-ws'?",
        "structure: {subprotocols: [>>graphql]}",
    ),
    ("E011", "did you mean 'ignore'?", "structure: {>>ignored: [$.id]}"),
    ("E016", "did you mean 'EMAIL_ADDRESS'?", "keys: {>>EMAIL: [mail]}"),
    ("E013", "did you mean 'STAFF_NO'?", "keys: {>>staff-no: [badge]}"),
    ("E013", "must not be empty", "keys: {PERSON: >>[]}"),
    ("E013", "at most 64 characters", f"keys: {{PERSON: [>>{'x' * 65}]}}"),
    ("E012", "must be a list; put it in [ ]", "keys: {PERSON: >>nick}"),
    ("E035", "no rule is about PERSON", "keys: {>>PERSON: [nick]}"),
    ("E010", "the key 'reason' is missing", "allow: [>>{values: [a]}]"),
    ("E011", "did you mean 'values'?", "allow: [{>>value: [a], reason: b, file: list.txt}]"),  # falco #2354
    ("E013", "either here or in a file", "allow: [>>{reason: b}]"),
    ("E013", "either here or in a file", "allow: [>>{reason: b, values: [a], file: list.txt}]"),
    ("E023", "No such file", "allow: [{reason: b, file: >>none.txt}]"),
    ("E023", "there are no values in this file", "allow: [{reason: b, file: >>empty.txt}]"),
    ("E023", "not UTF-8", "allow: [{reason: b, file: >>latin.txt}]"),
    ("E032", "this would exempt every value", 'allow: [{values: [>>"*"], reason: b}]'),
    ("E016", "did you mean 'PHONE_NUMBER'?", "allow: [{entities: [>>PHONE], values: [a], reason: b}]"),
    ("E010", "the key 'name' is missing", "tests: [>>{send: {text: a}, upstream_gets: {text: a}}]"),
    ("E013", "send needs upstream_gets", "tests: [>>{name: a, send: {text: a}}]"),
    ("E013", "what is sent and what arrives", "tests: [>>{name: a}]"),
    ("E013", "either JSON or text", "tests: [{name: a, send: >>{}, upstream_gets: {text: a}}]"),
    ("E013", "either JSON or text", "tests: [{name: a, send: >>{body: 1, text: a}, upstream_gets: {text: a}}]"),
    ("E011", "did you mean 'upstream_gets'?", "tests: [{name: a, send: {text: a}, >>server_gets: {text: a}}]"),
    ("E034", "something else arrives", "tests: [{name: a, send: {text: a}, upstream_gets: >>{text: b}}]"),
    (
        "E034",
        "something else arrives",
        "tests: [{name: a, upstream_sends: {body: [1]}, client_gets: >>{body: [2]}}]",
    ),
)
RULES = _rule(
    ("E011", "did you mean 'direction'?", ">>direktion: both"),
    ("E011", "did you mean 'direction'?", ">>directions: both"),
    ("E011", "unknown key 'treshold'", ">>treshold: 0.6"),
    ("E011", "did you mean 'except'?", ">>exceptions: []"),
    ("E011", "did you mean 'tests'?", ">>examples: {}"),
    ("E011", "did you mean 'no_match'?", "tests: {>>nomatch: []}"),
    ("E013", "did you mean 'client_to_upstream'?", "direction: >>client_to_server"),
    ("E013", "did you mean 'both'?", "direction: >>all"),
    ("E013", "must be 'client_to_upstream'", "direction: >>sideways"),
    ("E013", "must be 'client_to_upstream'", "direction: >>[both]"),
    ("E013", "did you mean 'shadow'?", "mode: >>log_only"),
    ("E013", "must be 'enforce' or 'shadow'", "mode: >>true"),
    ("E016", "did you mean 'EMAIL_ADDRESS'?", "entities: [>>EMAIL]"),
    ("E016", "did you mean 'CREDIT_CARD'?", "entities: [CRYPTO, >>CREDITCARD]"),
    ("E016", "did you mean 'CRYPTO'?", "entities: [>>crypto]"),
    ("E016", "unknown entity 'SHOE'; known are BANK_ACCOUNT", "entities: [>>SHOE]"),
    ("E012", "must be a list; put it in [ ]", "entities: >>EMAIL_ADDRESS"),
    ("E013", "must not be empty", "entities: >>[]"),
    ("E013", "must not be empty", 'entities: [>>""]'),
    ("E012", "must be a text", "entities: [>>1]"),
    ("E015", "unknown operator 'maks'; did you mean 'mask'?", "action: >>maks"),
    ("E015", "did you mean 'redact'?", "action: >>remove"),
    ("E015", "did you mean 'replace'?", "action: >>anonymize"),
    ("E015", "unknown operator 'x'; known are close", "action: >>x"),
    ("E011", "did you mean 'mask'?", "action: {>>maks: {}}"),
    ("E015", "an action is one operator", "action: >>{mask: {}, keep: {}}"),
    ("E015", "an action is one operator", "action: >>{}"),
    ("E015", "an action is one operator", "action: >>[mask]"),
    ("E015", "for example {mask: {keep_last: 4}}", "action: >>{mask: 4}"),
    ("E015", "an action is one operator", "action: >>null"),
    ("E011", "did you mean 'char'?", 'action: {mask: {>>mask_char: "x"}}'),
    ("E011", "did you mean 'keep_last'?", "action: {mask: {>>keepLast: 4}}"),
    ("E011", "did you mean 'with'?", "action: {replace: {>>new_value: x}}"),
    ("E013", "must be one character", 'action: {mask: {char: >>"**"}}'),
    ("E013", "must be one character", 'action: {mask: {char: >>""}}'),
    ("E012", "must be a whole number", "action: {mask: {keep_last: >>true}}"),
    ("E012", "must be a whole number", 'action: {mask: {keep_last: >>"4"}}'),
    ("E013", "must be 0 or more", "action: {mask: {keep_last: >>-1}}"),
    ("E012", "must be true or false", "action: {mask: {keep_separators: >>yes}}"),
    ("E012", "must be a text; put it in quotes", "action: {replace: {with: >>1}}"),
    ("E013", "must be a close code", "action: {close: {code: >>1006}}"),
    ("E013", "must be a close code", "action: {close: {code: >>99}}"),
    ("E013", "at most 123 bytes", f"action: {{close: {{reason: >>{'x' * 124}}}}}"),
    ("E013", "must be 8 or more", "action: {hash: {length: >>4}}"),
    ("E013", "must be 64 or less", "action: {hash: {length: >>65}}"),
    ("E014", "a secret is only named here; env:NAME", "action: {hash: {key: >>hunter2}}"),
    ("E014", "a secret is only named here", "action: {encrypt: {key: >>c2VjcmV0}}"),
    ("E014", "a secret is only named here", 'action: {fake: {key: >>"env:"}}'),
    ("E013", "did you mean 'upstream_to_client'?", "action: {tokenize: {restore: >>downstream}}"),
    ("E013", "must be 'refuse' or 'replace'", "action: {tokenize: {if_unavailable: >>pass}}"),
    ("E011", "unknown key 'consistent'", "action: {fake: {>>consistent: true}}"),
    ("E010", "the key 'reason' is missing", "except: [>>{values: [a]}]"),
    ("E010", "the key 'values' is missing", "except: [>>{reason: a}]"),
    ("E013", "must not be empty", 'except: [{values: [a], reason: >>""}]'),
    ("E032", "this would exempt every value", 'except: [{values: [>>"*"], reason: a}]'),
    ("E032", "this would exempt every value", 'except: [{values: [>>" ** "], reason: a}]'),
    ("E013", "must be a date or a time with its zone", "except: [{values: [a], reason: b, expires: >>soon}]"),
    ("E013", "for example 2027-03-01", "except: [{values: [a], reason: b, expires: >>2027-02-30}]"),
    ("E013", "for example 2027-03-01", "except: [{values: [a], reason: b, expires: >>2027-03-01T12:00}]"),
    ("E011", "did you mean 'expires'?", "except: [{values: [a], reason: b, >>until: 2027-03-01}]"),
    ("E012", "must be a list", "except: >>{values: [a], reason: b}"),
    ("E031", "rule 'a' fails its own example: nothing is found", 'tests: {match: [>>"bob@secret.example"]}'),
    ("E031", "something is found", 'entities: [EMAIL_ADDRESS], tests: {no_match: [>>"bob@secret.example"]}'),
    ("E012", "must be a text; put it in quotes", "tests: {match: [>>4111111111111111]}"),
    ("E012", "must be a mapping", "tests: >>[a]"),
    ("E004", "half of a surrogate pair", 'description: >>"\\uD83D"'),
)
ENTITIES = _entity(
    ("E011", "did you mean 'patterns'?", ">>pattern: []"),
    ("E011", "did you mean 'patterns'?", ">>paterns: []"),  # presidio #1766
    ("E011", "did you mean 'context'?", f"{PATTERN}, >>contxt: {{words: [a]}}"),  # presidio takes it in silence
    ("E011", "did you mean 'deny_list'?", ">>blacklist: {values: [a]}"),
    ("E011", "did you mean 'regex'?", "patterns: [{>>regexp: x, score: 1}]"),
    ("E010", "the key 'score' is missing", "patterns: [>>{regex: x}]"),
    ("E013", "must be 1.0 or less", "patterns: [{regex: x, score: >>5}]"),
    ("E013", "must not be empty", "patterns: >>[]"),
    ("E013", "must not be empty", 'patterns: [{regex: >>"", score: 1}]'),
    ("E012", "must be a mapping", "patterns: [>>'B-1']"),
    ("E020", "not a regex: missing )", "patterns: [{regex: >>'(a', score: 1}]"),
    ("E020", "not a regex: bad escape", r"patterns: [{regex: >>'\q{2}\8', score: 1}]"),
    ("E020", "nothing to repeat", "patterns: [{regex: >>'*a', score: 1}]"),
    ("E020", "r and quotes are of Python", r"""patterns: [{regex: >>r"\bfoo\b", score: 1}]"""),  # presidio #924
    ("E021", "can take exponential time", "patterns: [{regex: >>'(.*)*=(.*)*;', score: 1}]"),
    ("E021", "can take exponential time", "patterns: [{regex: >>'(a+)+$', score: 1}]"),
    ("E021", "needs backtracking", r"patterns: [{regex: >>'(a)\1', score: 1}]"),
    ("E021", "needs backtracking; write it without", "patterns: [{regex: >>'(?<=a)b', score: 1}]"),
    ("E013", "did you mean 'backtracking'?", "patterns: [{regex: a, score: 1, engine: >>pcre}]"),
    (
        "E011",
        "did you mean 'words'?",
        f"{PATTERN}, context: {{words: [a], >>word: b}}".replace("words: [a], ", ""),
    ),
    ("E013", "must be 200 or less", f"{PATTERN}, context: {{words: [a], within: >>500}}"),
    ("E013", "must be 1.0 or less", f"{PATTERN}, context: {{words: [a], boost: >>2}}"),
    ("E013", "must not be empty", f"{PATTERN}, context: {{words: >>[]}}"),
    ("E013", "either here or in a file", "deny_list: >>{}"),
    ("E013", "either here or in a file", "deny_list: >>{values: [ab], file: list.txt}"),
    ("E023", "No such file", "deny_list: {file: >>none.txt}"),
    ("E023", "there are no values in this file", "deny_list: {file: >>empty.txt}"),
    ("E011", "did you mean 'ignore_case'?", "deny_list: {values: [ab], >>ignorecase: true}"),
    ("E013", "is either a class or a registry file", "presidio: >>{}"),
    (
        "E022",
        "write package.module.Class",
        "presidio: {class: >>my_package.Nobody}",
    ),  # kongctl #1621: found at load
    ("E022", "", "presidio: {class: >>os.path.join}"),
    ("E023", "No such file", "presidio: {file: >>none.yaml}"),
    ("E022", "", "presidio: {file: >>registry.yaml}"),
    ("E033", "BADGE fails its own example: nothing is found", f"{PATTERN}, tests: {{match: [>>'C-12']}}"),
    ("E033", "something is found", f"{PATTERN}, tests: {{no_match: [>>'B-12']}}"),
    ("E033", "else than the span", f"{PATTERN}, tests: {{match: [>>{{text: 'B-12', span: B-1}}]}}"),
    (
        "E013",
        "the span of an example stands in its text",
        f"{PATTERN}, tests: {{match: [>>{{text: a, span: b}}]}}",
    ),
)
ENTITIES += [
    Broken("E025", "nothing says how BADGE is to be found", ENTITIES[0].text.replace("BADGE: {>>pattern: []}",
           ">>BADGE: {description: a}")),
    Broken("E013", "did you mean 'BADGE'?", ENTITIES[0].text.replace("BADGE: {>>pattern: []}",
           f">>badge: {{{PATTERN}}}")),
    Broken("E013", "must be capital letters", ENTITIES[0].text.replace("BADGE: {>>pattern: []}",
           f'>>"1": {{{PATTERN}}}')),
    Broken("E012", "must be a mapping", ENTITIES[0].text.replace("{>>pattern: []}", ">>[]")),
    Broken("E035", "no rule is about what this finds: BADGE",
           f"version: 1\nentities: {{BADGE: >>{{{PATTERN}}}}}\n"),
]  # fmt: skip
IDS = [
    Broken("E010", "the key 'id' is missing", "version: 1\nrules: [>>{entities: [CRYPTO], action: keep}]\n"),
    Broken("E010", "the key 'entities' is missing", "version: 1\nrules: [>>{id: a, action: keep}]\n"),
    Broken("E010", "the key 'action' is missing", "version: 1\nrules: [>>{id: a, entities: [CRYPTO]}]\n"),
    Broken("E011", "did you mean 'action'?",
           "version: 1\nrules: [{id: a, entities: [CRYPTO], >>operator: keep}]\n"),
    Broken("E011", "did you mean 'id'?", "version: 1\nrules: [{>>name: a, entities: [CRYPTO], action: keep}]\n"),
    Broken("E013", "must be 1 to 64 letters",
           "version: 1\nrules: [{id: >>a b, entities: [CRYPTO], action: keep}]\n"),
    Broken("E013", "must be 1 to 64 letters",
           'version: 1\nrules: [{id: >>"", entities: [CRYPTO], action: keep}]\n'),
    Broken("E030", "the id 'a' is taken by a rule above",
           "version: 1\nrules:\n  - {id: a, entities: [CRYPTO], action: keep}\n"
           "  - {id: >>a, entities: [PERSON], action: keep}\n"),
    Broken("E031", "rule 'all' stands before it",
           "version: 1\nrules:\n  - {id: all, entities: ['*'], action: keep}\n"  # gitleaks #1742
           "  - {id: b, entities: [EMAIL_ADDRESS], action: drop, tests: {match: [>>bob@example.com]}}\n"),
    Broken("E031", "what is found in this text is exempt",
           "version: 1\nrules: [{id: a, entities: [EMAIL_ADDRESS], action: drop, "
           "except: [{values: ['*@example.com'], reason: b}], "
           "tests: {match: [a@b.example, >>bob@example.com]}}]\n"),
    Broken("E032", "exempt every test value of rule 'a'; narrow it",
           "version: 1\nrules: [{id: a, entities: [EMAIL_ADDRESS], action: drop, "
           "except: [>>{values: ['*@*'], reason: b}], tests: {match: [bob@example.com]}}]\n"),
    Broken("E034", "the connection is closed with 4001",
           "version: 1\nrules: [{id: a, entities: [EMAIL_ADDRESS], action: {close: {code: 4001}}}]\n"
           "tests: [{name: a, send: {text: bob@example.com}, upstream_gets: >>{text: a}}]\n"),
    Broken("E034", "the message is dropped",
           "version: 1\nrules: [{id: a, entities: [EMAIL_ADDRESS], action: drop}]\n"
           "tests: [{name: a, send: {text: bob@example.com}, upstream_gets: >>{text: a}}]\n"),
]  # fmt: skip
BROKEN = [*WHOLE, *YAML, *TOP, *RULES, *ENTITIES, *IDS]
