"""`hushwire decrypt` as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest
from typer.testing import CliRunner, Result

from proxy.cli import app
from proxy.pseudonyms.cipher import KEY_SIZE, Cipher, encrypted
from proxy.pseudonyms.keys import ENCRYPT, KeyRing, own_file
from tests.playbook import SESSION, UP

SECRET = {"KEY": "correct horse battery staple"}


def token(value: str, ring: KeyRing | None = None, reference: str | None = "env:KEY") -> str:
    cipher = Cipher((ring or KeyRing.throwaway(SECRET)).key(reference, Path(), ENCRYPT, KEY_SIZE))
    return encrypted(cipher)(value, "EMAIL_ADDRESS", SESSION, UP)


def decrypt(*arguments: str, stdin: str | bytes = "", **environment: str) -> Result:
    return CliRunner().invoke(app, ["decrypt", *arguments], input=stdin, env={**SECRET, **environment})


BOB, ANN = token("bob@example.com"), token('Ann "A" Smith\n')


def test_tokens_in_an_argument_become_values():
    result = decrypt("--key", "env:KEY", f"from {BOB} to {BOB}")
    assert (result.exit_code, result.stdout) == (0, "from bob@example.com to bob@example.com\n")
    assert result.stderr == ""


def test_stdin_comes_out_byte_for_byte_around_its_tokens():
    document = json.dumps(
        {"b": [BOB, 1.50], "body": json.dumps({"name": ANN}), "url": "/?q=" + quote(BOB)}, indent=2
    )
    result = decrypt("--key", "env:KEY", stdin=document)
    assert result.exit_code == 0
    opened = json.loads(result.stdout)
    assert opened["b"] == ["bob@example.com", 1.5]
    assert json.loads(opened["body"]) == {"name": 'Ann "A" Smith\n'}
    assert opened["url"] == "/?q=bob%40example.com"
    assert result.stdout.startswith('{\n  "b": [\n    "bob@example.com",\n    1.5\n')
    assert decrypt("-", "--key", "env:KEY", stdin=document).stdout == result.stdout


def test_each_line_of_a_log_is_spelt_for_itself():
    lines = [f"plain {ANN}", json.dumps({"name": ANN}), json.dumps({"escaped": f"\\u0041 {BOB}"}), "", "end"]
    result = decrypt("--key", "env:KEY", stdin="\n".join(lines))
    assert result.exit_code == 0
    assert result.stdout.startswith('plain Ann "A" Smith\n\n{"name": ')
    first, second = map(json.loads, result.stdout.split("\n")[2:4])
    assert first == {"name": 'Ann "A" Smith\n'}
    assert second["escaped"].endswith("bob@example.com")
    assert result.stdout.endswith("\n\nend")


def test_what_another_key_has_made_is_left_and_counted():
    other = token("eve", KeyRing.throwaway({"KEY": "another secret of somebody"}))
    result = decrypt("--key", "env:KEY", f"{BOB} {other} {other}")
    assert (result.exit_code, result.stdout) == (1, f"bob@example.com {other} {other}\n")
    assert result.stderr == "1 decrypted, 2 left: this is not their key\n"


def test_without_a_key_that_of_the_installation_is_taken_but_never_made(tmp_path):
    environment = {"XDG_STATE_HOME": str(tmp_path)}
    result = decrypt(BOB, **environment)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "there is no key of this installation" in result.stderr
    assert not own_file(environment).exists()
    made = token("bob", KeyRing.installed(environment), None)
    assert decrypt(made, **environment).stdout == "bob\n"


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        (
            "sesame-open-the-door",
            "--key: a key is only named here: env:NAME for a variable, file:PATH for a file\n",
        ),
        ("env:", "--key: a key is only named here"),
        ("env:NOPE", "--key: this environment variable is not set"),
        ("file:/nowhere", "--key: this file cannot be read (No such file or directory)"),
    ],
)
def test_a_key_that_is_not_there_exits_with_2_and_is_not_repeated(key, sentence):
    result = decrypt("--key", key, BOB)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(sentence)
    assert "sesame" not in result.stderr


def test_what_is_not_utf_8_exits_with_1():
    result = decrypt("--key", "env:KEY", stdin=b"\xff[enc")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "this is not UTF-8\n")
