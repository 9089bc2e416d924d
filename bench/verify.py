"""What it costs to verify a key in process, in microseconds of processor time, and as ratios to peers measured in the
same interleaved run.

    python -m venv .venv-bench
    .venv-bench/bin/pip install . 'keyshield[aiocache,argon2,sqlalchemy]' aiosqlite djangorestframework-api-key
    .venv-bench/bin/python bench/verify.py [--rounds 9] [--keys 1000]

Peers (skipped when not installed): keyshield with its memory cache and its built-in delay of 100 to 300 ms switched
off, with its memory repository, which loses all keys at the end of the process, and with its repository in SQLite;
djangorestframework-api-key on SQLite. What keyshield finds in its cache it writes to its repository, as last used,
before it answers. Each round runs every variant once, in turn; the median of the rounds counts.

The last table compares how long a refusal takes for an unknown key, a wrong secret and another
account's key: the three must not be told apart by time.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from tollkey.db import Ids, Scope, Tx
from tollkey.keys import Key, KeyService, Permission
from tollkey.keys.actors import SYSTEM
from tollkey.keys.config import Config, Limit, Pattern, Quota, Rate, Route
from tollkey.keys.token import generate

Variant = Callable[[int], float]  # how many verifications to do; returns the seconds they took


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=9)
    arguments.add_argument("--keys", type=int, default=1000, help="keys stored; verified in random order")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder), options.keys) as (service, texts):
        variants = {**of_tollkey(service, texts), **of_keyshield(Path(folder), texts), **of_django(Path(folder), texts)}
        compare(variants, options.rounds)
        with ExitStack() as services:
            compare(of_checks(services, Path(folder)), options.rounds, "check, no limits")
        refusals(service, texts, options.rounds)


@contextmanager
def opened(folder: Path, count: int) -> Iterator[tuple[KeyService, list[str]]]:
    """A key authority with ``count`` keys of two accounts, and the texts of the first account's."""
    with KeyService.open(str(folder / "keys.db"), [Permission("report", "Reports")], flush_seconds=0) as service:
        made: list[str] = []

        def work(tx: Tx) -> None:
            for index in range(count):
                scope = Scope("other" if index == 0 else "main", True)
                made.append(
                    service.authority.create(tx, scope, "restricted", permissions=["report_read"], actor=SYSTEM, now=1)[
                        1
                    ]
                )

        service.database.write(work)
        yield service, made


def cycled(call: Callable[[str], object], texts: list[str]) -> Variant:
    """A variant that verifies the texts in one fixed, shuffled order."""
    order = random.Random(1).choices(texts, k=10_000)

    def run(times: int) -> float:
        chosen = order[:times]
        began = time.process_time()
        for text in chosen:
            call(text)
        return time.process_time() - began

    return run


def of_tollkey(service: KeyService, texts: list[str]) -> dict[str, tuple[Variant, int]]:
    verifier, database = service.verifier, service.database
    verifier.lease.bound_seconds = 3600.0  # a server renews it in the background
    verifier.lease.renew(time.monotonic())
    now = int(time.time())
    for text in texts:
        assert isinstance(verifier.verify(database, text, now), Key)

    def from_database(text: str) -> object:
        return database.read(lambda tx: verifier.load(tx, text, now))

    def counted(text: str) -> object:
        return service.verify(text, ip="192.0.2.1", endpoint="GET /")

    return {
        "tollkey, from memory": (cycled(lambda text: verifier.verify_cached(text, now), texts), 10_000),
        "tollkey, from memory, with last-used": (cycled(counted, texts), 10_000),
        "tollkey, from SQLite": (cycled(from_database, texts), 2_000),
    }


def of_checks(services: ExitStack, folder: Path) -> dict[str, tuple[Variant, int]]:
    """What limits and declared routes add to a check. The limits are out of reach."""
    permissions, far = (Permission("report", "Reports"),), 10**12
    rate, quota = Limit("rate", Rate(1e9), far), Limit("quota", quota=(Quota(far, "month"),))
    routes = tuple(
        Route(Pattern.parse(f"GET /{name}/{{id}}"), "report_read")
        for name in ("reports", *(f"r{n}" for n in range(50)))
    )
    configs = {
        "check, no limits": Config(permissions=permissions),
        "check, a rate": Config(permissions=permissions, limits=(rate,)),
        "check, a rate and a quota": Config(permissions=permissions, limits=(rate, quota)),
        "check, these and 51 declared routes": Config(permissions=permissions, limits=(rate, quota), routes=routes),
    }
    found = {}
    for name, config in configs.items():
        file = folder / f"{len(found)}.db"
        service = services.enter_context(KeyService.open(str(file), config=config, flush_seconds=0))
        service.verifier.lease.bound_seconds = 3600.0
        texts = [service.create(permissions=["report_read"], account=f"a{n % 50}").secret for n in range(500)]
        route = "GET /reports/42" if config.routes else None
        check = partial(service.check, permission="report_read", ip="192.0.2.1", endpoint="GET /reports", route=route)
        assert all(check(text) for text in texts)
        found[name] = (cycled(check, texts), 10_000)
    return found


def of_keyshield(folder: Path, texts: list[str]) -> dict[str, tuple[Variant, int]]:
    try:
        from keyshield.hasher.argon2 import Argon2ApiKeyHasher
        from keyshield.repositories.in_memory import InMemoryApiKeyRepository
        from keyshield.services.cached import CachedApiKeyService
    except ImportError as error:
        print(f"keyshield is not here: {error}")
        return {}
    loop = asyncio.new_event_loop()
    hasher, count = Argon2ApiKeyHasher(pepper="pepper"), min(4, len(texts))
    options = {"cache_ttl": 3600, "min_delay": 0.0, "max_delay": 0.0}

    async def nothing() -> None: ...

    def cached(repository: object, commit: Callable[[], Awaitable[None]]) -> Variant:
        service = CachedApiKeyService(repository, hasher, **options)
        keys = [loop.run_until_complete(service.create(name=str(i), scopes=["read"]))[1] for i in range(count)]
        order = random.Random(1).choices(keys, k=10_000)

        async def verify(times: int) -> float:
            began = time.process_time()
            for text in order[:times]:
                await service._verify_key(text)  # without even the call of its delay, which yields to the loop
                await commit()
            return time.process_time() - began

        loop.run_until_complete(verify(100))
        return lambda times: loop.run_until_complete(verify(times))

    def uncached(times: int) -> float:
        stored = hasher.hash("secret")
        began = time.process_time()
        for _ in range(times):
            hasher.verify(stored, "secret")
        return time.process_time() - began

    found = {
        "keyshield, its cache, keys in memory": (cached(InMemoryApiKeyRepository(), nothing), 2_000),
        "keyshield, its hash alone": (uncached, 5),
    }
    with suppress(ImportError):
        from keyshield.repositories.sql import SqlAlchemyApiKeyRepository
        from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

        engine = create_async_engine(f"sqlite+aiosqlite:///{folder}/keyshield.db")
        session = AsyncSession(engine)
        repository = SqlAlchemyApiKeyRepository(session)
        loop.run_until_complete(repository.ensure_table(engine))
        found["keyshield, its cache, keys in SQLite"] = cached(repository, session.commit), 100
        uncommitted = AsyncSession(create_async_engine(f"sqlite+aiosqlite:///{folder}/uncommitted.db"))
        repository = SqlAlchemyApiKeyRepository(uncommitted)
        loop.run_until_complete(repository.ensure_table(uncommitted.bind))
        found["keyshield, the same, never committed"] = cached(repository, nothing), 200
    return found


def of_django(folder: Path, texts: list[str]) -> dict[str, tuple[Variant, int]]:
    try:
        import django
        import rest_framework_api_key  # noqa: F401
        from django.conf import settings
    except ImportError as error:
        print(f"djangorestframework-api-key is not here: {error}")
        return {}
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "django.db")}
    apps = ["django.contrib.contenttypes", "django.contrib.auth", "rest_framework", "rest_framework_api_key"]
    settings.configure(
        INSTALLED_APPS=apps,
        DATABASES={"default": database},
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    )
    django.setup()
    from django.core.management import call_command
    from django.db import transaction
    from rest_framework_api_key.models import APIKey

    call_command("migrate", verbosity=0)
    with transaction.atomic():
        keys = [APIKey.objects.create_key(name=str(index))[1] for index in range(len(texts))]
    assert APIKey.objects.is_valid(keys[0])
    return {"djangorestframework-api-key, SQLite": (cycled(APIKey.objects.is_valid, keys), 500)}


def compare(variants: dict[str, tuple[Variant, int]], rounds: int, first: str = "tollkey, from memory") -> None:
    times: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, (run, count) in variants.items():
            times[name].append(run(count) / count * 1e6)
    base = statistics.median(times[first])
    print(f"\n{'verify one key':<40} {'median µs':>12} {'best µs':>12} {'ratio':>10}")
    for name, found in times.items():
        print(
            f"{name:<40} {statistics.median(found):>12.2f} {min(found):>12.2f} {statistics.median(found) / base:>9.1f}x"
        )


def refusals(service: KeyService, texts: list[str], rounds: int) -> None:
    """Interleaved one by one; each text is used once, as a caller who guesses would."""
    ids, count = Ids.seeded(7), 300 * rounds
    kinds = {
        "unknown key": [generate("restricted", True, "1ZzYyXxWwVvUuTt", ids) for _ in range(count)],
        "wrong secret": [generate("restricted", True, "main", ids) for _ in range(count)],
        "another account's key": [texts[0]] * count,
    }
    taken: dict[str, list[float]] = {kind: [] for kind in kinds}
    order = random.Random(2)
    for index in range(count):
        for kind in order.sample(list(kinds), len(kinds)):
            began = time.process_time()
            answer = service.verify(kinds[kind][index], account="main")
            taken[kind].append((time.process_time() - began) * 1e6)
            assert not isinstance(answer, Key)
    print(f"\n{'refuse one key':<40} {'10 % µs':>12} {'median µs':>12} {'90 % µs':>12}")
    for kind, found in taken.items():
        tenths = statistics.quantiles(found, n=10)
        print(f"{kind:<40} {tenths[0]:>12.1f} {tenths[4]:>12.1f} {tenths[8]:>12.1f}")


if __name__ == "__main__":
    main()
