"""The files that `hushwire init` writes. Each passes `hushwire check` as it stands. Texts, and nothing else."""

from __future__ import annotations

RULES = """\
# What is personal in these messages, and what becomes of it.
#
#   hushwire check {file}       what is wrong with this file, if anything is
#   hushwire test {file}        try every example in it
#   hushwire explain "a text" --rules {path}
#   hushwire run --upstream ws://127.0.0.1:9000 --rules {path}
#
# A running proxy reads it again whenever it changes; one with a fault changes nothing.
version: 1
name: {name}

# The rules that come with Hushwire stand behind the ones here: personal data that tells itself, by its form or by
# its JSON key, is replaced by its name. hushwire check --effective shows all of them together.
extends: [default]

# From 0 (a guess) to 1 (a checksum says so): what is less sure is left alone.
threshold: 0.5

# Paths that nobody looks at, because they hold what the protocol needs and nobody's data.
# structure: {{ignore: [$.id, "$..trace_id"]}}

# Values that are nobody's.
# allow:
#   - {{values: ["*@example.org"], entities: [EMAIL_ADDRESS], reason: the addresses of our own mailboxes}}

# What nobody but you knows: staff numbers, code names, customer numbers.
entities:
  EMPLOYEE_ID:
    description: a staff number, for example AC-0012-77
    patterns: [{{regex: '\\bAC-\\d{{4}}-\\d{{2}}\\b', score: 0.85}}]
    # deny_list: {{file: lists/codenames.txt}}            one value a line
    tests:
      match: ["badge AC-0012-77.", {{text: "id=AC-9999-01", span: AC-9999-01}}]
      no_match: ["AC-12-7", "XAC-0012-77"]

# JSON keys whose values are of an entity, whatever they look like.
# keys:
#   EMPLOYEE_ID: [staff_no, badge]

# The order is the only precedence: the first rule that names an entity decides about it.
rules:
  - id: staff
    entities: [EMPLOYEE_ID]
    # direction: client_to_upstream                    or upstream_to_client; both is the default
    # mode: shadow                                     only note what would happen
    action: {{mask: {{keep_last: 2}}}}
    #       replace                                    <EMPLOYEE_ID>
    #       redact                                     nothing is left of it
    #       hash                                       the same value is always the same
    #       tokenize                                   [EMPLOYEE_ID_1], and the value again when it comes back
    #       keep                                       noted, but not changed
    #       drop                                       the message is not forwarded
    #       {{close: {{code: 1008}}}}                      the connection ends
    # except: [{{values: [AC-0000-00], reason: the number of the demo account, expires: 2030-01-01}}]
    tests:
      match: ["badge AC-0012-77", '{{"note": "AC-9999-01"}}']
      no_match: ["AC-12-7"]

# What one side sends and what the other one gets: proof, and documentation.
tests:
  - name: a staff number loses all but its end
    send: {{body: {{text: "I am AC-0012-77"}}}}
    upstream_gets: {{body: {{text: "I am ********77"}}}}
"""
CONFIG = """\
# How Hushwire stands in front of services. What is personal is said in rule files.
#
#   hushwire check {file}
#   hushwire run --config {path}
#
# Paths are read from the folder of this file. A secret is only named: env:NAME of a variable, file:PATH.
version: 1
listen: 127.0.0.1:8080                    # where clients connect instead
admin: 127.0.0.1:8081                     # health, metrics, rules; or off
# ner: rampart                            # a language model for names in prose: pip install 'hushwire[ner]'

# The first route that matches a request takes it.
routes:
  - name: chat
    match: {{path: "/chat/{{room}}"}}         # also host: "*.example.com" and subprotocol: [chat.v2]
    upstream: ws://127.0.0.1:9000         # the client's path is appended
    rules: default                        # or the path of a file: ./rules.yaml, as hushwire init writes it
    # mode: shadow                        # find and count everything, change nothing
    # auth: {{bearer: env:CHAT_TOKENS, origins: ["https://app.example.com"]}}
    limits: {{message: 1MiB, messages_per_second: 200, idle: 1h}}

  - name: rest
    upstream: ws://127.0.0.1:9001
"""
