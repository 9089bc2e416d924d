"""Settings from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from tollkey.settings import Settings, given_settings, load_settings


def test_live_mode_has_the_request_rate_of_the_real_system_and_test_mode_none_until_it_is_set() -> None:
    assert (Settings().test_rate_limit, Settings().live_rate_limit) == (0, 100)
    assert load_settings({"TOLLKEY_TEST_RATE_LIMIT": "25"}).test_rate_limit == 25


def test_a_setting_that_no_longer_exists_is_refused() -> None:
    with pytest.raises(ValueError, match="TOLLKEY_RATE_LIMIT is now TOLLKEY_TEST_RATE_LIMIT"):
        load_settings({"TOLLKEY_RATE_LIMIT": "10"})


@pytest.mark.parametrize("days", ["-1", "8"])
def test_a_grace_that_no_rolled_key_can_have_is_refused(days: str) -> None:
    with pytest.raises(ValueError, match="TOLLKEY_ROTATION_GRACE_DAYS must be 0 to 7"):
        load_settings({"TOLLKEY_ROTATION_GRACE_DAYS": days})


@pytest.mark.parametrize("seconds", ["0", "nan", "3601", "-1"])
def test_a_time_out_that_would_end_everything_or_nothing_is_refused(seconds: str) -> None:
    with pytest.raises(ValueError, match=r"TOLLKEY_LOCK_SECONDS must be 0\.1 to 3600"):
        load_settings({"TOLLKEY_LOCK_SECONDS": seconds})


@pytest.mark.parametrize("name", ["TOLLKEY_EVENT_DAYS", "TOLLKEY_DELIVERY_DAYS"])
@pytest.mark.parametrize("days", ["0", "-1"])
def test_a_retention_that_would_delete_what_has_just_happened_is_refused(name: str, days: str) -> None:
    """For other settings 0 means no limit; here it would mean that nothing is kept."""
    with pytest.raises(ValueError, match=f"{name} must be 1 to 36500"):
        load_settings({name: days})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"LOCK_SECONDS": "3"}, r"IDLE_SECONDS \(3\) must be less than TOLLKEY_LOCK_SECONDS \(3\)"),
        ({"IDLE_SECONDS": "5"}, r"IDLE_SECONDS \(5\) must be less than TOLLKEY_LOCK_SECONDS \(4\)"),
        ({"DRAIN_SECONDS": "10"}, "DRAIN_SECONDS must be less than TOLLKEY_STOP_SECONDS"),
        ({"DELIVERY_DAYS": "7"}, r"DELIVERY_DAYS \(7\) must not be less than TOLLKEY_EVENT_DAYS \(30\)"),
        ({"DIRECT_DATABASE": "postgresql://db/tollkey"}, "DIRECT_DATABASE goes with TOLLKEY_DATABASE"),
        ({"EVENT_DAYS": "31"}, r"DELIVERY_DAYS \(30\) must not be less than TOLLKEY_EVENT_DAYS \(31\)"),
    ],
)
def test_settings_that_contradict_one_another_are_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=f"TOLLKEY_{said}"):
        load_settings({f"TOLLKEY_{name}": value for name, value in given.items()})


def test_the_addresses_of_databases_come_from_files_too(tmp_path: Path) -> None:
    files = {name: tmp_path / name.lower() for name in ("DATABASE", "DIRECT_DATABASE")}
    for name, file in files.items():
        file.write_text(f"postgresql://{name.lower()}/tollkey\n")
    environ = {f"TOLLKEY_{name}_FILE": str(file) for name, file in files.items()}
    settings = load_settings(environ)
    assert (settings.database, settings.direct_url) == (
        "postgresql://database/tollkey", "postgresql://direct_database/tollkey",
    )  # fmt: skip
    assert given_settings(environ) == {name.lower(): f"TOLLKEY_{name}_FILE" for name in files}
    del environ["TOLLKEY_DIRECT_DATABASE_FILE"]
    assert load_settings(environ).direct_url == "postgresql://database/tollkey"


def test_a_file_of_settings_gives_way_to_the_environment_and_that_to_options(tmp_path: Path) -> None:
    file = tmp_path / "tollkey.toml"
    file.write_text('port = 1\nlock_seconds = 2\nidle_seconds = 1\nrequire_https = true\nlog_format = "json"\n')
    read = load_settings({"TOLLKEY_PORT": "3"}, file)
    assert (read.port, read.lock_seconds, read.require_https, read.log_format) == (3, 2, True, "json")
    assert load_settings({"TOLLKEY_PORT": "3"}, file, port=4).port == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prot = 1", "there is no setting prot; did you mean port?"),
        ("[server]\nport = 1", "there is no setting server"),
        ('port = "1"', "port must be a whole number"),
        ("require_https = 1", "require_https must be true or false"),
        ("host = 1", "host must be a text in quotes"),
        ("lock_seconds = 0", "TOLLKEY_LOCK_SECONDS must be"),
        ("port = ", "cannot be read"),
    ],
)
def test_a_file_of_settings_that_is_wrong_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "tollkey.toml"
    file.write_text(text)
    with pytest.raises(ValueError, match=said):
        load_settings({}, file)


def test_a_file_of_settings_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="No such file"):
        load_settings({}, tmp_path / "tollkey.toml")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"VAULT_DATABASE": "vault.db"}, "needs TOLLKEY_VAULT_KEYRING too"),
        ({"VAULT_KEYRING": "vault.json"}, "needs TOLLKEY_VAULT_DATABASE too"),
        ({"VAULT_DATABASE": "d/tollkey.db", "VAULT_KEYRING": "v.json", "DATA": "d"}, "another database than the main"),
        ({"VAULT_DATABASE": "d/v.db", "VAULT_KEYRING": "./d/keyring.json", "DATA": "d"}, "another file than the main"),
        ({"VAULT_DATABASE": "v.db", "VAULT_KEYRING": "k", "KEYRING_FILE": "./k"}, "another file than the main"),
        ({"VAULT_DATABASE": "v.db", "VAULT_KEYRING": "v.json", "DATABASE": "postgresql://h/d"}, "every node needs the"),
        (
            {"VAULT_DATABASE": "postgresql://h/d", "VAULT_KEYRING": "v.json", "DATABASE": "postgresql://h/d"},
            "another database than the main",
        ),
    ],
)
def test_a_card_vault_that_cannot_be_apart_is_refused_in_one_sentence(given: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as refused:
        load_settings({f"TOLLKEY_{name}": value for name, value in given.items()})
    assert "postgresql://h" not in str(refused.value)


def test_a_card_vault_of_its_own_is_taken_and_its_address_is_not_shown() -> None:
    given = {"TOLLKEY_VAULT_DATABASE": "postgresql://u:secret@h/vault", "TOLLKEY_VAULT_KEYRING": "v.json"}
    assert "secret" not in repr(load_settings({**given, "TOLLKEY_DATABASE": "postgresql://h/main"}))
    assert load_settings(given).vault_keyring == "v.json"
