"""``tollkey openapi``: the OpenAPI document of this server."""

from __future__ import annotations

from typing import Annotated

import typer

import tollkey.payments
import tollkey.platform
from tollkey.core import gather
from tollkey.wire import ApiError
from tollkey.wire.objects import encode
from tollkey.wire.openapi import document as openapi_document
from tollkey.wire.resource import Catalogue
from tollkey.wire.versions import LATEST, read_version


def openapi(
    base_url: Annotated[str, typer.Option(help="URL of the server.")] = "http://127.0.0.1:8420",
    version: Annotated[str, typer.Option(help="API version to describe: what it removed is left out.")] = LATEST,
) -> None:
    """Print the OpenAPI 3.0 document of every implemented endpoint, as JSON."""
    try:
        read_version(version)
    except ApiError as error:
        raise typer.BadParameter(error.message, param_hint="--version") from error
    catalogue = Catalogue(gather(tollkey.platform, tollkey.payments))
    typer.echo(encode(openapi_document(catalogue, base_url, version)).decode())
