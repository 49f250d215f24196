"""Below a key that says so, a loose form of an address is enough; a word is not."""

from __future__ import annotations

import pytest

from proxy.detect.plausible.network import email, ip, mac


@pytest.mark.parametrize("text", ["bob@localhost", "bob@example.org", "Bob Roe <bob@example.org>"])
def test_an_address_of_mail_has_two_parts(text: str) -> None:
    assert email(text)


@pytest.mark.parametrize(
    "text", ["enabled", "bob@", "@example.org", "bob at example.org", "a@b@c", "x" * 65 + "@example.org"]
)
def test_a_word_or_half_an_address_is_no_address_of_mail(text: str) -> None:
    assert not email(text)


@pytest.mark.parametrize(
    "text",
    [
        *("192.0.2.1", "192.0.2.1:8080", "::1", "[2001:db8::1]:443", "192.0.2.0/24", "fe80::1%eth0"),
        "192.0.2.1, 10.0.0.1",
    ],
)
def test_an_ip_address_may_stand_beside_a_port_or_in_a_list(text: str) -> None:
    assert ip(text)


@pytest.mark.parametrize("text", ["dynamic", "192.0.2.256", "192.0.2.1, none", "1.2.3", "192.0.2.1,"])
def test_a_list_that_holds_anything_else_is_no_ip_address(text: str) -> None:
    assert not ip(text)


@pytest.mark.parametrize(
    "text",
    ["00-00-5E-00-53-01", "00005E005301", "00:00:5e:00:53:01", "0000.5e00.5301", "00:00:5e:ff:fe:00:53:01"],
)
def test_the_address_of_a_device_has_six_bytes_or_eight(text: str) -> None:
    assert mac(text)


@pytest.mark.parametrize("text", ["Intel", "00-00-5E-00-53", "00-00-5E-00-53-0G", "0000.5e00.53011"])
def test_other_bytes_are_no_address_of_a_device(text: str) -> None:
    assert not mac(text)
