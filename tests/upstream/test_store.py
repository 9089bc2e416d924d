"""Which hosts belong to an upstream account."""

from __future__ import annotations

import pytest

from tollkey.upstream import store


def test_files_and_connect_have_hosts_of_their_own() -> None:
    assert store.hosts_of("https://api.stripe.com/") == (
        "https://api.stripe.com",
        "https://files.stripe.com",
        "https://connect.stripe.com",
    )
    assert store.hosts_of("http://127.0.0.1:8000") == ("http://127.0.0.1:8000",) * 3


@pytest.mark.parametrize(
    "url",
    [
        "http://api.stripe.com",
        "ftp://x.de",
        "https://a:b@x.de",
        "https://x.de/v1",
        "https://x.de?a=b",
        "x.de",
        "https://",
    ],
)
def test_an_upstream_url_is_https_and_names_a_host_alone(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        store.hosts_of(url)
