"""Values that recognizers find, and texts in which they must find nothing; the laws are tried on all of them.

Secrets are put together here, so that no scanner of repositories takes them for real ones.
"""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode


def card(start: str, length: int, groups: tuple[int, ...] = (), sign: str = " ") -> str:
    """A number of `length` digits that begins with `start`, its check digit right, in `groups`."""
    body = start + "0123456789012345678"[: length - 1 - len(start)]
    doubled = [int(d) * (2 if i % 2 == 0 else 1) for i, d in enumerate(reversed(body))]
    number = body + str(-sum(d // 10 + d % 10 for d in doubled) % 10)
    cut, parts = 0, []
    for size in groups or (length,):
        parts.append(number[cut : cut + size])
        cut += size
    return sign.join(parts)


def letters(count: int, alphabet: str = "q7Zr2Lx9Tb4Wm8KcV3nYh5Pd6Jf1Gs0") -> str:
    return (alphabet * (count // len(alphabet) + 1))[:count]


def jose(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


FOURS = (4, 4, 4, 4)
CARDS = [
    *(card("4", 16), card("4", 16, FOURS), card("4", 16, FOURS, "-"), card("4", 16, FOURS, "."), card("4", 13)),
    *(card("4", 19), card("4", 19, (*FOURS, 3)), card("51", 16), card("55", 16, FOURS), card("2221", 16)),
    *(card("2720", 16, FOURS), card("34", 15), card("37", 15, (4, 6, 5)), card("37", 15, (4, 6, 5), "-")),
    *(card("30", 14), card("36", 14, (4, 6, 4)), card("6011", 16), card("622126", 16), card("644", 16)),
    *(
        card("65", 19),
        card("3528", 16),
        card("3589", 16, FOURS),
        card("62", 19),
        card("81", 16),
        card("62", 16, FOURS),
    ),
    *(
        card("5018", 12),
        card("0604", 12),
        card("6759", 18),
        card("6304", 13),
        card("6763", 16, FOURS),
        card("2204", 16),
        card("60", 16),
    ),
    *(card("9792", 16), card("1354", 15, (4, 5, 6)), card("8600", 16), card("5067", 16), card("636368", 16)),
    *(
        card("4", 16, FOURS, "\u00a0"),
        card("4", 16, FOURS, "\u2011"),
        card("4", 16, (1,) * 16),
        "6212 3456 7890 1235",
    ),
]

E_MAILS = [
    *("bob@example.com", "Bob.O'Neil+news@mail.example.co.uk", "a/b#c@example.com", "x_y@xn--80ak6aa92e.com"),
    *("bob@corp.internal", "bob@example.invalid", "root@localhost", "ops@node3.dc1", "bob@my_host.example"),
    *('"john doe"@example.org', '"a\\"b@c"@example.org', "bob@[192.0.2.1]", "bob@[IPv6:2001:db8::1]", "1@163.com"),
    *(
        "j\u00f6rg@m\u00fcller.example",
        "\u7528\u6237@\u4f8b\u5b50.\u5e7f\u544a",
        "\u0928\u093e\u092e@\u0909\u0926\u093e.\u092d\u093e\u0930\u0924",
    ),
    *("bounces+12-user=gmail.com@lists.example.net", "user%example.com@relay.example.org", "BOB@EXAMPLE.COM"),
    *("bob%40example.org", "bob%2Bnews%40example.org", "@bob@example.social", "bob@8.8.example.com"),
]

KEY = "-----BEGIN {0}PRIVATE KEY{1}-----\n" + "\n".join([letters(64)] * 3) + "\n-----END {0}PRIVATE KEY{1}-----"
JWT = ".".join((jose('{"alg":"HS256","typ":"JWT"}'), jose('{"sub":"42","name":"Bob"}'), letters(43)))
SECRETS_BY_KIND = {
    "jwt": [JWT, ".".join((jose('{"enc":"A256GCM"}'), letters(40), letters(16), letters(900), letters(22)))],
    "private-key": [
        KEY.format("", ""),
        KEY.format("RSA ", ""),
        KEY.format("OPENSSH ", ""),
        KEY.format("PGP ", " BLOCK"),
    ],
    "aws-key-id": ["AKIA" + "Q7ZRLXTBWMKCVNYH", "ASIA" + "234567ABCDEFGHIJ"],
    "google-api-key": ["AIza" + letters(35)],
    "github": ["ghp_" + letters(36), "gho_" + letters(36), "ghs_" + letters(40), "ghr_" + letters(76)],
    "github-fine": ["github_pat_" + letters(22) + "_" + letters(59)],
    "gitlab": ["glpat-" + letters(20)],
    "npm": ["npm_" + letters(36)],
    "pypi": ["pypi-" + "AgEIcHlwaS5vcmc" + letters(80)],
    "stripe": ["sk_live_" + letters(24), "rk_test_" + letters(99)],
    "sendgrid": ["SG." + letters(22) + "." + letters(43)],
    "slack": ["xoxb-" + "123456789012-" + letters(24), "xoxp-" + letters(60)],
    "telegram-bot": ["123456789:AA" + letters(33)],
    "discord-bot": [jose("1175829301847261234") + "." + letters(6) + "." + letters(27)],
    "anthropic": ["sk-ant-" + "api03-" + letters(80)],
    "openai": ["sk-" + letters(48), "sk-proj-" + letters(64)],
    "url-password": [],
}
TOLD = {
    "Authorization: Bearer {}": letters(20),
    "authorization: basic {}": b64encode(b"bob:secret").decode(),
    "twilio account AC{}": "",
    "aws_secret_access_key = {}": letters(40),
    "password={}": "hunter2-x9",
    "https://api.example.com/?access_token={}&x=1": "a8f7d6s5f4",
    'api_key: "{}"': letters(24),
    "postgres://{}@db.example.com/app": "bob:hunter2",
    "redis://{}@cache:6379": ":hunter2",
    "https://{}@code.example.com/a/b": letters(20),
    "ftp://{}@files.example.com": "bob:p%40ss",
}
TOLD.pop("twilio account AC{}")

NOTHING = [
    # times, counters, ids
    *("1700000000", "1763859724123", "1763859724123456", "1763859724123456789", "1763859724.000200"),
    *("1175829301847261234", "1098234567890123456", "7656119796028793500", "9812734650", "order 7301-284653"),
    *(
        "2026-11-22T08:15:30.123Z",
        "2026-11-22 08:15:30",
        "22.11.2026 08:15",
        "20261122081530",
        "1.2.840.113549.1.1.11",
    ),
    *(
        "550e8400-e29b-41d4-a716-446655440000",
        "7b9f3c52-8a41-4d0e-bb6e-411111111111",
        "msg_01JD7Q2M9V8Z3K4N5P6R7S8T9W",
    ),
    *(
        "3f2504e04f8911d39a0c0305e82c3301aabbccdd",
        "33a64df551425fcc55e4d42a148795d9f25f89d4",
        "sha256:" + "ab12" * 16,
    ),
    *("978-3-16-148410-0", "Part number: 555-123-4567-A", "0.4111111111111111", "48.208174, 16.373819", "-220.5"),
    *(
        "192.168.100.101",
        "10.0.0.1",
        "4111 1111 1111 1112",
        "1234567890123456",
        "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12",
    ),
    # signs
    *(
        "btcusdt@trade",
        "icon@2x.png",
        "logo@3x~ipad.png",
        "lodash@4.17.21",
        "@types/node@18.2.0-rc.1",
        "@channel look",
    ),
    *("https://example.com/@user/profile", "/[a-z]+@[a-z]+/", "@bob:example.org", "git@github.com:org/repo.git"),
    *(
        "ssh://bob@host.example.com/x",
        "https://u:$PASS@example.com",
        "https://u:{password}@h.example",
        "actions/checkout@v4",
    ),
    *(
        "golang.org/x/net@v0.17.0",
        "getty@tty1.service",
        "@media (min-width: 1px)",
        "@app.route('/x')",
        "a@b.c",
        "Foo@1a2b3c",
    ),
    *(
        '"x"@en',
        "root@10.0.0.1",
        "nginx@sha256:" + "ab12" * 16,
        "python@3.11",
        "return@forEach",
        "hot@",
        "@",
        "%40",
    ),
    # words
    *(
        "session.created",
        "response.output_text.delta",
        "deploy is green, merging now",
        "",
        "UklGRuQXAABXQVZFZm10IBAA",
    ),
    *(
        "bearer of bad news everyone knows",
        "basic training programme",
        "token: string",
        "pwd: /home/bob2/projects",
    ),
    *(
        "sk-loading-indicator-component-x",
        "data:image/png;base64," + letters(300),
        "password: ********",
        "eyJ.eyJ.eyJ",
    ),
    *(
        "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
        "AC" + "5f046602" * 4,
        "nextToken: NZ siW12345",
    ),
]
PLACES = [
    "{}",
    "please use {} from now on",
    "My data: {}.",
    "({})",
    "before\n{}\nafter",
    '{{"value":"{}","n":1}}',
    "a, {}, b",
]
