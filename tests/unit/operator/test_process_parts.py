"""Configuration, logs, endpoints and what pods are asked: the shell around the core."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from whisper_operator import config, endpoints, logs, metrics
from whisper_operator.cluster.errors import (
    Conflicting,
    Expired,
    Failing,
    NamespaceEnding,
    NotThere,
    Refused,
    Unavailable,
    from_status,
)
from whisper_operator.cluster.pod_http import PodHttp, host, read_progress
from whisper_operator.plan.types import Progress


def test_every_setting_is_read_and_the_empty_ones_are_absent() -> None:
    found = config.read(
        {
            "WHISPER_OPERATOR_NAMESPACES": "a, b",
            "WHISPER_OPERATOR_MODELS_IMAGE": "models:1",
            "WHISPER_OPERATOR_WORKERS": "3",
            "WHISPER_OPERATOR_HUB_ENDPOINT": "",
            "HOME": "/root",
        }
    )
    assert found == config.Config(namespaces=("a", "b"), models_image="models:1", workers=3)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("WORKER", "3", "WHISPER_OPERATOR_WORKER is not a setting"),
        ("WORKERS", "many", "must be a positive whole number, not 'many'"),
        ("PULL_POLICY", "Sometimes", "must be one of Always, IfNotPresent, Never"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(name: str, value: str, says: str) -> None:
    with pytest.raises(config.ConfigError, match=says):
        config.read({f"WHISPER_OPERATOR_{name}": value})


def test_a_log_line_is_json_with_its_fields_and_its_error() -> None:
    record = logging.LogRecord("a.b", logging.ERROR, "", 0, "it %s", ("broke",), (OSError, OSError("gone"), None))
    record.key = "WhisperService/x"
    found = json.loads(logs.JsonFormatter().format(record))
    assert (found["level"], found["message"], found["key"]) == ("error", "it broke", "WhisperService/x")
    assert "gone" in found["error"]


async def test_the_endpoints_tell_ready_from_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "LIVE_WITHIN", 0.05)
    turning, ready = asyncio.Event(), False

    async def beat() -> None:
        await turning.wait()

    async with TestClient(TestServer(endpoints.application(beat, lambda: ready))) as client:
        assert (await client.get("/livez")).status == 503
        assert (await client.get("/readyz")).status == 503
        turning.set()
        ready = True
        assert (await client.get("/livez")).status == 200
        assert (await client.get("/readyz")).status == 200
        assert f"{metrics.RECONCILES._name}_total" in await (await client.get("/metrics")).text()


@pytest.fixture
async def pod() -> AsyncIterator[str]:
    """A pod that answers well, badly, slowly or without end."""

    async def progress(_: web.Request) -> web.Response:
        return web.json_response({"stage": "Downloading", "bytes_done": 5, "bytes_total": None, "speed": 2.5})

    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    async def elsewhere(_: web.Request) -> web.Response:
        raise web.HTTPFound("/progress")

    app = web.Application()
    app.router.add_get("/progress", progress)
    app.router.add_get("/slow", slow)
    app.router.add_get("/elsewhere", elsewhere)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


async def test_pods_are_asked_with_little_patience(pod: str) -> None:
    async with aiohttp.ClientSession() as session:
        pages = await PodHttp(session).pages(
            [f"{pod}progress", f"{pod}nothing", f"{pod}slow", f"{pod}elsewhere", "http://127.0.0.1:1/"]
        )
    assert read_progress(pages[0]) == Progress("Downloading", 5, None, 2.5)
    assert pages[1:] == [None, None, None, None]


@pytest.mark.parametrize("page", [None, b"", b"[]", b"{}", b'{"stage": 1, "speed": "x"}', b'{"stage": "a", "eta": []}'])
def test_what_is_no_progress_is_no_progress(page: bytes | None) -> None:
    assert read_progress(page) is None


def test_numbers_that_are_none_are_left_out() -> None:
    assert read_progress(b'{"stage": "a", "speed": NaN, "eta": -1}') == Progress("a")


def test_addresses_of_both_families_fit_in_a_url() -> None:
    assert [host("10.0.0.1"), host("fd00::1")] == ["10.0.0.1", "[fd00::1]"]


ENDING = {"message": "no", "details": {"causes": [{"reason": "NamespaceTerminating"}]}}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"message": "Unauthorized"}, Unavailable),
        (404, {}, NotThere),
        (409, {}, Conflicting),
        (410, {}, Expired),
        (403, {"message": "exceeded quota"}, Refused),
        (403, ENDING, NamespaceEnding),
        (422, {"message": "invalid"}, Refused),
        (429, {}, Failing),
        (500, "oops", Failing),
    ],
)
def test_each_answer_of_the_api_server_has_its_error(status: int, body: object, kind: type[Exception]) -> None:
    assert type(from_status(status, body, "get /x")) is kind
