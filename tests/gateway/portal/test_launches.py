"""Sessions on the pages: started, followed, opened and ended by their owner, and by nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from graphql_world import ALICE, BOB
from lxml import html
from msgspec.structs import replace
from portal_world import World

from gateway.ports import Opening
from schema.activities import Failure, FailureCode, LaunchState, OpenKind

PID = "10.5442/nd000001"


@pytest.fixture
def world(tmp_path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.index.close()


async def started(world: World) -> str:
    """A launch of Alice's; its id."""
    await world.get("/", ALICE)
    answer = await world.post("/analyse", ALICE, dataset=PID, trigger="north/hub", procedure="plain")
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].removeprefix("/launch/")


async def text(world: World, path: str, viewer=ALICE) -> str:
    answer = await world.get(path, viewer)
    assert answer.status_code == 200, answer.text
    return " ".join(html.fromstring(answer.content).text_content().split())


async def test_the_panel_offers_procedures_to_whoever_is_signed_in_and_a_way_in_to_others(world: World) -> None:
    assert "Sign in to analyse" in await text(world, f"/dataset/{PID}", None)
    shown = await text(world, f"/dataset/{PID}")
    assert "Start a notebook here" in shown
    assert "Plain notebook" in shown
    assert "Usually ready in 12 seconds." in shown


async def test_a_facility_without_platform_says_so(world: World) -> None:
    assert "has no analysis platform" in await text(world, "/dataset/south/dataset/40")


async def test_pressing_start_leads_to_the_session_s_page(world: World) -> None:
    id = await started(world)
    shown = await text(world, f"/launch/{id}")
    assert "Asked for" in shown
    assert "The hub" in shown
    assert "You have a session on this dataset" in await text(world, f"/dataset/{PID}")
    assert "1 session so far" in await text(world, "/launches")


@pytest.mark.parametrize("state", list(LaunchState))
async def test_every_state_has_plain_words(world: World, state: LaunchState) -> None:
    id = await started(world)
    world.desk.tell(id, state, "As it stands.")
    shown = await text(world, f"/launch/{id}")
    assert state.value not in shown
    assert "As it stands." in shown


async def test_a_failure_tells_what_to_do(world: World) -> None:
    id = await started(world)
    world.desk.tell(id, LaunchState.FAILED, "It failed.")
    failure = Failure(FailureCode.CAPACITY, "The hub is full.", "Try again in an hour.", retry=True)
    world.desk.kept[id] = replace(world.desk.kept[id], failure=failure)
    shown = await text(world, f"/launch/{id}")
    assert "What to do: Try again in an hour." in shown
    assert "Try again" in shown


async def test_without_scripts_the_page_loads_itself_again_until_the_end(world: World) -> None:
    id = await started(world)
    assert b'http-equiv="refresh"' in (await world.get(f"/launch/{id}", ALICE)).content
    world.desk.tell(id, LaunchState.STOPPED, "Ended.")
    assert b'http-equiv="refresh"' not in (await world.get(f"/launch/{id}", ALICE)).content


async def test_the_event_stream_gives_each_event_and_then_the_end(world: World) -> None:
    id = await started(world)

    async def life() -> None:
        for state in (LaunchState.CHECKED, LaunchState.READY, LaunchState.STOPPED):
            await asyncio.sleep(0)
            world.desk.tell(id, state, f"Now {state.value.lower()}.")

    living = asyncio.create_task(life())
    answer = await world.get(f"/launch/{id}/events?after=1", ALICE)
    await living
    events = answer.text.split("\n\n")
    assert [each.split("\n")[0] for each in events if each.startswith("id:")] == ["id: 2", "id: 3", "id: 4"]
    assert events[-2] == "event: end\ndata:"
    assert answer.headers["content-type"].startswith("text/event-stream")


async def test_a_stream_goes_on_after_the_last_event_that_was_seen(world: World) -> None:
    id = await started(world)
    world.desk.tell(id, LaunchState.STOPPED, "Ended.")
    answer = await world.get(f"/launch/{id}/events", ALICE, **{"last-event-id": "1"})
    assert answer.text.count("\nid:") + answer.text.startswith("id:") == 1


async def test_opening_goes_straight_to_the_site_with_nothing_in_an_address_of_ours(world: World) -> None:
    id = await started(world)
    world.desk.tell(id, LaunchState.READY, "Ready.")
    assert "This button takes you into it" in await text(world, f"/launch/{id}/open")
    answer = await world.post(f"/launch/{id}/open", ALICE)
    assert (answer.status_code, answer.headers["location"]) == (303, "https://hub.example.org/")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"


async def test_what_cannot_be_opened_yet_says_why(world: World) -> None:
    id = await started(world)
    assert "cannot be opened now" in await text(world, f"/launch/{id}/open")


@pytest.mark.parametrize(
    ("opening", "told"),
    [
        (Opening(OpenKind.COMMAND, body="ssh -p 22 <host>"), "ssh -p 22 <host>"),
        (Opening(OpenKind.FORM, url="https://vm.example.org/in", fields={"code": "s3"}), "One step more"),
    ],
)
async def test_other_ways_in_are_shown(world: World, opening: Opening, told: str) -> None:
    id = await started(world)
    world.desk.tell(id, LaunchState.READY, "Ready.")

    async def opened(*_: object) -> Opening:
        return opening

    world.desk.open = opened
    answer = await world.post(f"/launch/{id}/open", ALICE)
    assert told in html.fromstring(answer.content).text_content()
    assert answer.headers["cache-control"] == "no-store"


async def test_a_download_is_named_safely(world: World) -> None:
    id = await started(world)
    world.desk.tell(id, LaunchState.READY, "Ready.")

    async def opened(*_: object) -> Opening:
        return Opening(OpenKind.DOWNLOAD, body="[Connection]", media_type="application/x-rdp", name='a"b\r\n/é.rdp')

    world.desk.open = opened
    answer = await world.post(f"/launch/{id}/open", ALICE)
    assert answer.text == "[Connection]"
    assert answer.headers["content-disposition"] == 'attachment; filename="a_b____.rdp"'


async def test_more_time_is_offered_in_the_part_that_moves_and_only_while_a_session_is_open(world: World) -> None:
    id = await started(world)
    world.desk.tell(id, LaunchState.READY, "Ready.")
    live = html.fromstring((await world.get(f"/launch/{id}", ALICE)).content).get_element_by_id("live")
    assert live.xpath(".//form[contains(@action, '/extend')]")
    world.desk.tell(id, LaunchState.STOPPED, "Ended.")
    assert "Need longer?" not in (await world.get(f"/launch/{id}/events?after=1", ALICE)).text


async def test_it_is_stopped_and_extended(world: World) -> None:
    id = await started(world)
    assert (await world.post(f"/launch/{id}/extend", ALICE, minutes="60")).status_code == 303
    assert (await world.post(f"/launch/{id}/extend", ALICE, minutes="-1")).status_code == 400
    assert (await world.post(f"/launch/{id}/stop", ALICE)).status_code == 303
    assert world.desk.kept[id].state is LaunchState.STOPPING


@pytest.mark.parametrize("path", ["", "/events", "/open"])
async def test_other_people_s_sessions_are_unknown(world: World, path: str) -> None:
    id = await started(world)
    assert (await world.get(f"/launch/{id}{path}", BOB)).status_code == 404
    assert (await world.get(f"/launch/{id}{path}")).status_code == 401


@pytest.mark.parametrize("path", ["/analyse", "/launch/l1/open", "/launch/l1/stop", "/launch/l1/extend"])
async def test_a_forged_form_does_nothing(world: World, path: str) -> None:
    await started(world)
    answer = await world.post(path, ALICE, csrf="forged", dataset=PID)
    assert answer.status_code == 403
    assert world.desk.kept["l1"].state is LaunchState.REQUESTED
    assert len(world.desk.kept) == 1


async def test_a_refusal_is_told_on_the_dataset_s_page(world: World) -> None:
    await world.get("/", ALICE)
    answer = await world.post("/analyse", ALICE, dataset=PID, procedure="unknown")
    assert answer.status_code == 409
    assert "The platform has no such procedure." in answer.text
    assert "Small-angle scattering" in answer.text


async def test_a_dataset_that_is_unknown_or_not_open_to_one_cannot_be_analysed(world: World) -> None:
    await world.get("/", BOB)
    world.desk.known -= {"10.5442/nd000090"}
    answers = [await world.post("/analyse", BOB, dataset=pid) for pid in ("10.5442/nope", "10.5442/nd000090")]
    assert [each.status_code for each in answers] == [404, 404]
