"""Settings are read once, and a wrong one is told in a sentence that names it."""

from pathlib import Path

import pytest

from pangate.settings import Environment, Settings, gateway_secret, read_file, read_settings
from schema.errors import DiskFailed, Misconfigured


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PANGATE_PORT", "eighty", "PANGATE_PORT"),
        ("PANGATE_PORT", "70000", "PANGATE_PORT"),
        ("PANGATE_URL", "ftp://x", "PANGATE_URL"),
        ("PANGATE_URL", "https://catalogue.example.org ", "PANGATE_URL"),
        ("PANGATE_URL", "https://x> <y", "no blank, quote or bracket"),
        ("PANGATE_URL", "http://catalogue.example.org", "must be https"),
        ("PANGATE_OIDC_ISSUER", "http://login.example.org", "must be https"),
        (
            "PANGATE_INDEX",
            "https://one.example.org,https://me:hush@two.example.org",
            "^PANGATE_INDEX must not hold a login",
        ),
        ("PANGATE_OIDC_ISSUER", "https://login.example.org", "PANGATE_OIDC_CLIENT_ID must be set"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch, name, value, told):
    monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured, match=told):
        read_settings()


def test_an_address_of_ipv6_is_bracketed():
    assert Settings(host="::1").public_url == "http://[::1]:8080"
    assert Settings(host="127.0.0.1").public_url == "http://127.0.0.1:8080"


def test_without_any_setting_everything_lies_in_one_folder(monkeypatch):
    for name in ("PANGATE_DATABASE", "PANGATE_INDEX", "PANGATE_URL", "PANGATE_DATA"):
        monkeypatch.delenv(name, raising=False)
    settings = read_settings()
    assert settings.database_url.endswith("/var/pangate.sqlite")
    assert settings.index_folder == Path("var/index")
    assert settings.public_url == "http://127.0.0.1:8080"


def test_a_secret_comes_from_the_variable_or_from_a_file(tmp_path):
    (tmp_path / "secret").write_text("from a file\n")
    assert Environment({"A": "plain"}).secret("A") == "plain"
    assert Environment({"A_FILE": str(tmp_path / "secret")}).secret("A") == "from a file"


def test_a_missing_secret_is_told_by_name_and_never_by_value():
    with pytest.raises(Misconfigured, match="A is not set") as caught:
        Environment({"B": "hush"}).secret("A")
    assert "hush" not in str(caught.value)


def test_the_gateways_secret_is_made_once_for_its_owner_alone(tmp_path):
    settings = Settings(data=tmp_path)
    made = gateway_secret(settings, Environment({}))
    assert len(made) >= 32
    assert gateway_secret(settings, Environment({})) == made
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_a_secret_file_that_a_full_disk_left_empty_is_no_secret(tmp_path):
    """An empty one would sign cursors and tickets for everybody."""
    settings = Settings(data=tmp_path)
    (tmp_path / "secret").touch()
    made = gateway_secret(settings, Environment({}))
    assert len(made) >= 32
    assert gateway_secret(settings, Environment({})) == made
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0


def test_a_full_disk_leaves_no_secret_rather_than_half_of_one(tmp_path, monkeypatch):
    def full(_file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DiskFailed, match="Make room"):
        gateway_secret(Settings(data=tmp_path), Environment({}))
    assert list(tmp_path.iterdir()) == []


def test_a_missing_federation_file_says_which_setting_to_mend(tmp_path):
    with pytest.raises(Misconfigured, match="PANGATE_FEDERATION"):
        read_file(Settings(federation=tmp_path / "none.yaml"))
