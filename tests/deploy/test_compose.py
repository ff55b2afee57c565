"""docker-compose.yml and Dockerfile held against the code: every command, setting, port, queue and secret. No engine runs here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from pangate.cli import app
from pangate.parted import shared
from pangate.settings import Settings
from pangate.tasks import ADVANCE, HARVEST, LOOK, QUEUES, ROUTES, celery_app

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service.get("image") == "pangate:local"}
LASTING = {name: service for name, service in SERVICES.items() if "profiles" not in service}
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
TOLD = {"PANGATE_URL": "https://pangate.example.org", "PANGATE_OIDC_ISSUER": "https://login.example.org"}


def filled(value: str) -> str:
    """A value as compose fills it in from a .env with what must be told: the innermost names first, `:+` only what is told."""

    def told(found: re.Match[str]) -> str:
        name, how, otherwise = found.groups(default="")
        return (otherwise if name in TOLD else "") if how == "+" else TOLD.get(name, otherwise)

    while value != (inner := re.sub(r"\$\{(\w+)(?::([-?+])([^${}]*))?\}", told, value)):
        value = inner
    return value


def environment(service: dict[str, Any]) -> dict[str, str]:
    return {name: filled(str(value)) for name, value in service["environment"].items()}


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The settings of a service, its secrets as files."""

    def read(name: str) -> Settings:
        for key, value in environment(OURS[name]).items():
            if value.startswith("/run/secrets/"):
                (tmp_path / Path(value).name).write_text(f"secret of {key}\n")
                value = str(tmp_path / Path(value).name)
            monkeypatch.setenv(key, value)
        return Settings()

    return read


def test_the_services_are_those_of_the_profile() -> None:
    assert set(OURS) == {"gateway", "harvest-worker", "launch-worker", "beat", "pangate"}
    assert set(SERVICES) - set(LASTING) == {"pangate"}, "the command alone runs only when it is asked for"
    assert set(SERVICES) - set(OURS) == {"proxy", "postgresql", "redis", "elasticsearch"}
    assert OURS["gateway"]["deploy"]["replicas"] == 2


@pytest.mark.parametrize("name", OURS)
def test_the_command_of_a_service_is_one_of_ours_with_options_it_has(name: str) -> None:
    command, *options = OURS[name]["command"]
    group = typer.main.get_command(app)
    with group.commands[command].make_context(command, list(options)) as context:  # type: ignore[attr-defined]
        if command == "worker":
            assert set(context.params["queues"].split(",")) <= set(QUEUES)


def test_every_queue_is_served() -> None:
    served = [
        queue for each in OURS.values() if each["command"][0] == "worker" for queue in each["command"][2].split(",")
    ]
    assert sorted(served) == sorted(QUEUES)


@pytest.mark.parametrize("name", OURS)
def test_the_settings_of_a_service_are_settings_and_good_ones(name: str, settings: Any) -> None:
    known = {f"PANGATE_{field.upper()}" for field in Settings.model_fields}
    secrets = {"PANGATE_SECRET", "PANGATE_OIDC_CLIENT_SECRET"}
    secrets |= {f"PANGATE_{store}_PASSWORD" for store in ("DATABASE", "BROKER", "INDEX")} | {"PANGATE_INDEX_USER"}
    told = {key.removesuffix("_FILE") for key in environment(OURS[name])}
    assert told <= known | secrets, told - known - secrets
    found: Settings = settings(name)
    shared(found)
    assert found.index_url == "http://elasticsearch:9200"
    assert found.public_url == "https://pangate.example.org"
    assert celery_app(found).conf.broker_url == "redis://:secret%20of%20PANGATE_BROKER_PASSWORD_FILE@redis:6379/0"


@pytest.mark.parametrize("name", sorted(set(OURS) & set(LASTING)))
def test_a_service_is_watched_where_it_answers(name: str, settings: Any) -> None:
    found: Settings = settings(name)
    port = found.port if name == "gateway" else found.metrics_port
    assert f"http://127.0.0.1:{port}/readyz" in " ".join(OURS[name]["healthcheck"]["test"])


def test_the_addresses_of_the_stores_are_services_that_listen_there() -> None:
    told = environment(OURS["gateway"])
    ports = {"postgresql": 5432, "redis": 6379, "elasticsearch": 9200}
    for setting, name in (("DATABASE", "postgresql"), ("BROKER", "redis"), ("INDEX", "elasticsearch")):
        assert f"{name}:{ports[name]}" in told[f"PANGATE_{setting}"]
        assert OURS["gateway"]["depends_on"][name] == {"condition": "service_healthy"}
    assert SERVICES["postgresql"]["environment"]["POSTGRES_USER"] == "pangate"
    proxy = (ROOT / "deploy" / "nginx.conf").read_text("utf-8")
    assert f"server gateway:{told['PANGATE_PORT']} " in proxy
    assert "proxy_buffering off" in proxy, "events of a launch must pass as they come"
    asked_again = re.findall(r"(?m)^ *proxy_next_upstream (.*);", proxy)
    assert asked_again == ["error timeout", "error timeout non_idempotent"], "what it names counts in max_fails"
    assert SERVICES["proxy"]["ports"][0].endswith(":8080")
    assert "listen 8080;" in proxy


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_nobody_special_bounded_and_watched(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[1-9]\d*:\d+", service["user"])
    limits = service["deploy"]["resources"]["limits"]
    assert {"cpus", "memory"} <= set(limits)
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    if name in LASTING:
        assert service["healthcheck"]["test"]
        assert service["restart"] == "unless-stopped"
    for secret in service.get("secrets", ()):
        assert COMPOSE["secrets"][secret] == {"file": f"./secrets/{secret}"}
    for network in service["networks"]:
        assert network in COMPOSE["networks"]


def test_no_secret_stands_in_the_file_and_every_one_is_given() -> None:
    for name, service in OURS.items():
        for key, value in service["environment"].items():
            if re.search(r"(PASSWORD|SECRET|API_KEY)$", key):
                pytest.fail(f"{name} has {key} in the file itself")
            if key.endswith("_FILE"):
                assert value.removeprefix("/run/secrets/") in service["secrets"]
    stores = {store: SERVICES[store]["networks"] for store in ("postgresql", "redis", "elasticsearch")}
    assert all(networks == ["inside"] for networks in stores.values())
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert not any("ports" in SERVICES[store] for store in stores)


def test_the_gateways_believe_the_proxy_and_whom_the_operator_names(monkeypatch: pytest.MonkeyPatch) -> None:
    front = COMPOSE["networks"]["front"]["ipam"]["config"][0]["subnet"]
    believed = SERVICES["gateway"]["environment"]["PANGATE_PROXIES"]
    assert filled(believed) == filled(front) == "172.30.254.0/24"
    monkeypatch.setitem(TOLD, "PANGATE_SUBNET", "10.9.8.0/24")
    monkeypatch.setitem(TOLD, "PANGATE_PROXIES", "192.0.2.7")
    assert filled(front) == "10.9.8.0/24"
    assert filled(believed) == "10.9.8.0/24,192.0.2.7"


def test_a_full_broker_refuses_before_it_is_killed() -> None:
    told = re.search(r"--maxmemory (\d+)mb", SERVICES["redis"]["command"][-1])
    assert told is not None, "noeviction means nothing without a bound"
    limit = SERVICES["redis"]["deploy"]["resources"]["limits"]["memory"]
    assert int(told[1]) < int(limit.removesuffix("M")) - 64


def test_the_data_folder_in_memory_takes_our_account_on_every_engine() -> None:
    data = re.search(r"PANGATE_DATA=(\S+)", DOCKERFILE)
    assert data is not None
    assert f"chmod 1777 {data[1]}\n" in DOCKERFILE, "an engine may give the tmpfs over it root's name and this mode"
    assert all(f"{data[1]}:mode=1777" in service["tmpfs"] for service in OURS.values())


def test_the_page_gives_each_login_to_every_service_that_logs_in() -> None:
    page = (ROOT / "docs" / "operations" / "second-profile.md").read_text("utf-8")
    (written,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    beside = yaml.safe_load(written)
    asked_by = {"freya_password": {HARVEST}, "freya_hub": {ADVANCE, LOOK}}
    assert set(beside["secrets"]) == set(asked_by)
    for name, service in OURS.items():
        queues = service["command"][2].split(",") if service["command"][0] == "worker" else ()
        does = {task for task, queue in ROUTES.items() if queue in queues or name == "pangate"}
        given = beside["services"].get(name, {"secrets": [], "environment": {}})
        assert set(given["secrets"]) == {secret for secret, tasks in asked_by.items() if tasks & does}
        assert set(given["environment"].values()) == {f"/run/secrets/{secret}" for secret in given["secrets"]}


def test_what_must_outlive_a_container_has_a_volume() -> None:
    for store in ("postgresql", "redis", "elasticsearch"):
        (volume,) = SERVICES[store]["volumes"]
        assert volume.partition(":")[0] in COMPOSE["volumes"]


def test_a_service_has_time_to_finish_its_step() -> None:
    for service in OURS.values():
        assert int(service["stop_grace_period"].removesuffix("s")) >= Settings.model_fields["grace"].default + 3


def test_the_image_is_built_from_the_lock_and_holds_every_room() -> None:
    assert "--require-hashes -r requirements.lock" in DOCKERFILE
    copied = set(re.findall(r"^COPY (\w+) \./\1$", DOCKERFILE, re.MULTILINE))
    assert copied == {"schema", "catalogue", "harvesters", "triggers", "gateway", "pangate"}
    assert all((ROOT / room).is_dir() for room in copied)
    uid = re.search(r"--uid (\d+)", DOCKERFILE)
    assert uid is not None
    assert f"USER {uid[1]}:{uid[1]}" in DOCKERFILE
    assert all(service["user"] == f"{uid[1]}:{uid[1]}" for service in OURS.values())
    settings = set(re.findall(r"PANGATE_\w+", DOCKERFILE))
    assert settings <= {f"PANGATE_{field.upper()}" for field in Settings.model_fields}
    assert 'ENTRYPOINT ["python", "-m", "pangate"]' in DOCKERFILE
    assert "STOPSIGNAL SIGTERM" in DOCKERFILE
