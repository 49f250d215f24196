"""The forms of known secrets, as their issuers document them. Data only; how they are read is in secrets.py.

A new row: its name (seen in notes), what it begins with, the rest as a pattern without nesting, a check if the
beginning is short, and more for the gate (`trigger`) if the beginning alone is common in texts.
"""

from __future__ import annotations

from proxy.detect.recognizers.secrets import (
    LONGEST,
    Formed,
    PrivateKey,
    Secret,
    is_assigned,
    is_basic,
    is_mixed,
    is_numeric_start,
    is_token,
    random,
)

_WORD = r"[A-Za-z0-9]"
_NAMES = (
    r"(?:pass(?:word|wd|phrase)|pwd|(?:api|access|auth|secret|private|encryption)[_-]?key|client[_-]?secret|secret|"
    r"(?:access|auth|refresh|api|id|bot|bearer)[_-]?token|token)"
)

SECRETS: tuple[Secret, ...] = (
    Secret(
        "jwt",
        "eyJ",
        r"[\w-]{6,}\.[\w-]*\.[\w-]*(?:\.[\w-]+\.[\w-]+)?",
        is_token,
        glue="._-",
        trigger="[a-z0-9_-]{8}",
        longest=LONGEST,
    ),
    PrivateKey(),
    Secret("age-key", "AGE-SECRET-KEY-1", r"[A-Z0-9]{58}"),
    # clouds
    Secret("aws-key-id", "AKIA ASIA ABIA ACCA", r"[A-Z2-7]{16}(?![A-Za-z0-9])", trigger="[a-z2-7]{16}"),
    Formed(
        "aws-secret-key",
        r"secret.{0,3}(?:access)?.{0,3}key.{0,16}[=:]",
        r"secret.{0,3}(?:access)?.{0,3}key[^=:\n]{0,12}[=:]{1,2}>?[\s\"']{0,4}([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
        random(4.0),
    ),
    Secret("google-api-key", "AIza", r"[\w-]{35}(?![A-Za-z0-9])", random(3.5), trigger=r"[a-z0-9_-]{35}"),
    Secret("google-oauth", "ya29. GOCSPX-", r"[\w-]{20,300}", random(3.0)),
    Secret("azure-storage-key", "AccountKey=", r"([A-Za-z0-9+/]{86}==)"),
    Secret("azure-sas", "&sig= ?sig=", r"([A-Za-z0-9%+/]{43,60}={0,2})", random(4.0)),
    Secret("digitalocean", "dop_v1_ doo_v1_ dor_v1_", r"[a-f0-9]{64}"),
    Secret("databricks", "dapi", r"[a-f0-9]{32}(?:-\d)?(?![A-Za-z0-9])", trigger="[a-f0-9]{32}"),
    # code
    Secret("github", "ghp_ gho_ ghu_ ghs_ ghr_", rf"{_WORD}{{36,255}}"),
    Secret("github-fine", "github_pat_", r"\w{30,255}", random(3.5)),
    Secret(
        "gitlab", "glpat- glptt- glrt- gldt- glsoat- glcbt- glft- glimt- gloas-", r"[\w.-]{19,300}\w", random(3.0)
    ),
    Secret("npm", "npm_", rf"{_WORD}{{36}}(?![A-Za-z0-9])"),
    Secret("pypi", "pypi-", r"[\w-]{50,390}", random(3.5)),
    Secret("docker", "dckr_pat_ dckr_oat_", r"[\w-]{20,64}"),
    Secret("huggingface", "hf_", r"[A-Za-z]{34,40}(?![A-Za-z0-9])", is_mixed),
    Secret("vault", "hvs. hvb.", r"[\w-]{24,300}", random(3.5)),
    Secret("postman", "PMAK-", r"[a-f0-9]{24}-[a-f0-9]{34}"),
    Secret("grafana", "glsa_ glc_", r"[\w+/=]{30,390}", random(3.5)),
    Secret("atlassian", "ATATT3 ATCTT3", r"[\w=-]{60,390}", random(3.5)),
    Secret("figma", "figd_", r"[\w-]{36,64}", random(3.0)),
    # money and mail
    Secret("stripe", "sk_live_ rk_live_ sk_test_ rk_test_", rf"{_WORD}{{10,247}}"),
    Secret("stripe-webhook", "whsec_", r"[A-Za-z0-9+/=]{24,128}", random(3.5)),
    Secret("shopify", "shpat_ shpca_ shppa_ shpss_", r"[a-fA-F0-9]{32}"),
    Secret("square", "sq0atp- sq0csp-", r"[\w-]{22,43}"),
    Secret("sendgrid", "SG.", r"[\w-]{16,32}\.[\w-]{16,64}", random(3.5), trigger=r"[a-z0-9_-]{16}"),
    Secret(
        "mailgun",
        "key-",
        r"[0-9a-f]{32}(?![A-Za-z0-9])",
        random(3.0),
        near=("mailgun",),
        score=0.6,
        trigger="[0-9a-f]{32}",
    ),
    # talk
    Secret(
        "slack",
        "xoxa- xoxb- xoxe- xoxe. xoxo- xoxp- xoxr- xoxs- xapp-",
        r"[A-Za-z0-9.-]{9,300}[A-Za-z0-9]",
        random(2.5),
    ),
    Secret("slack-webhook", "hooks.slack.com/services/", r"(T\w{6,12}/B\w{6,12}/\w{20,28})"),
    Secret(
        "twilio",
        "SK AC",
        r"[0-9a-f]{32}(?![A-Za-z0-9])",
        near=("twilio", "account_sid", "accountsid", "account sid"),
        score=0.6,
        trigger="[0-9a-f]{32}",
    ),
    Formed(
        "telegram-bot",
        r"[0-9]{8}:aa[a-z0-9_-]{33}",
        r"(?<![A-Za-z0-9])(\d{8,10}:AA[\w-]{33})(?![\w-])",
        random(3.5),
    ),
    Formed(
        "discord-bot",
        r"[mno][a-z0-9_-]{22}[a-z0-9_-]{0,4}\.[a-z0-9_-]{6}\.[a-z0-9_-]{27}",
        r"(?<![\w.-])([MNO][\w-]{22,26}\.[\w-]{6}\.[\w-]{27,40})(?![\w-]|\.\w)",
        is_numeric_start,
    ),
    # language models
    Secret("anthropic", "sk-ant-", r"[\w-]{20,200}", random(3.0)),
    Secret("openai", "sk-", r"(?!ant-)[\w-]{20,200}", random(3.5), trigger="[a-z0-9_-]{20}"),
    Secret("groq", "gsk_ pplx- r8_ xai-", rf"{_WORD}{{36,90}}(?![A-Za-z0-9])", random(3.5)),
    Secret("linear", "lin_api_ lin_oauth_", rf"{_WORD}{{40,64}}"),
    # told by the word before
    Formed(
        "bearer",
        r"bearer[ \t]{1,4}[\w.~+/-]",
        r"(?<![A-Za-z0-9])bearer[ \t]{1,4}([\w.~+/-]{15,390}\w={0,2})",
        random(3.0),
        score=0.9,
    ),
    Formed(
        "basic",
        r"basic[ \t]{1,4}[a-z0-9]",
        r"(?<![A-Za-z0-9])basic[ \t]{1,4}([A-Za-z0-9+/]{6,300}={0,2})",
        is_basic,
        score=0.9,
    ),
    Formed(
        "assigned",
        rf"{_NAMES}[\"']?[ \t]{{0,2}}[=:]",
        rf"(?<![A-Za-z0-9]){_NAMES}[\"']?[ \t]{{0,2}}[=:]>?[ \t]{{0,2}}[\"']?"
        r"([^\s\"'&,;<>{}()\[\]]{8,256})",
        is_assigned,
        score=0.8,
    ),
)
