"""``tollkey ca``: the certificate of the authority that ``tollkey serve --tls-hosts`` signs with."""

from __future__ import annotations

from pathlib import Path

import typer

from tollkey.cli.certificates import ca_certificate
from tollkey.cli.common import Data, refused
from tollkey.settings import load_settings


def ca(data: Data = None) -> None:
    """Print the certificate of this data folder's authority, as PEM, for test browsers and SDKs to trust."""
    try:
        folder = Path(load_settings(data=data).data)
        typer.echo(ca_certificate(folder), nl=False)
    except (OSError, ValueError) as problem:
        raise refused(problem) from None
