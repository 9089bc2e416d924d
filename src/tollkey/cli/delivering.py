"""``--deliver``: hand a new key to a place that keeps secrets, instead of printing it."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from tollkey.cli.common import ACTOR, fail
from tollkey.cli.keys_opening import OpenKeys
from tollkey.keys import Key
from tollkey.keys.delivering import DeliveryFailed, Destination, hand_over, roll_into
from tollkey.keys.vaults import KubernetesSecret, destination_of

Deliver = Annotated[
    str | None,
    typer.Option(
        metavar="DESTINATION",
        help="Store the key there and do not print it: vault:kv/data/acme#API_KEY, aws:acme/api#API_KEY,"
        " dotenv:.env#API_KEY, k8s:[NAMESPACE/]NAME[@FILE]#API_KEY.",
    ),
]


def destination_named(deliver: str | None, show_secret: bool, as_json: bool) -> Destination | None:
    """Return the place that ``--deliver`` names, None without it. Raises BadParameter before anything is created."""
    if deliver is None:
        return None
    if show_secret:
        raise typer.BadParameter("a key is either delivered or shown", param_hint="--deliver")
    try:
        destination = destination_of(deliver, os.environ, lambda manifest: typer.echo(manifest, nl=False))
    except ValueError as problem:
        raise typer.BadParameter(str(problem), param_hint="--deliver") from None
    if as_json and prints(destination):
        raise typer.BadParameter("the manifest is printed: leave out --json, or name a file", param_hint="--deliver")
    return destination


def prints(destination: Destination) -> bool:
    """Return whether the key is printed, as part of a manifest: nothing else may stand on standard output then."""
    return isinstance(destination, KubernetesSecret) and destination.file is None


def deliver_created(keys: OpenKeys, destination: Destination, key: Key, text: str) -> None:
    """Hand a key over that was created; revoke it if that fails. Raises typer.Exit."""

    def revoke() -> None:
        keys.database.write(lambda tx: keys.authority.revoke(tx, key.scope, key.id, actor=ACTOR, now=int(keys.now())))

    try:
        hand_over(destination, text, key.id, revoke)
    except DeliveryFailed as failed:
        raise fail(str(failed)) from None


def deliver_rolled(keys: OpenKeys, destination: Destination, key: Key, seconds: int) -> Key:
    """Roll a key and hand its successor over, which is returned. Raises typer.Exit."""
    try:
        return roll_into(keys.database, keys.authority, destination, key, seconds, ACTOR, keys.now)[1]
    except DeliveryFailed as failed:
        raise fail(str(failed)) from None
