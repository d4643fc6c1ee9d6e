"""Reading the routers' own page. What it looks like is the contract test's business."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whisper_operator.plan.service.health import view
from whisper_operator.plan.types import RouterHealth, TierHealth


def page(*hosts: tuple[str, dict[str, Any]]) -> bytes:
    listed = [{"locality": {"zone": zone}, "health_status": health} for zone, health in hosts]
    return json.dumps({"cluster_statuses": [{"name": "admin"}, {"name": "chain", "host_statuses": listed}]}).encode()


def health(pages: dict[str, bytes | None]) -> RouterHealth:
    return RouterHealth({pod: view(said) for pod, said in pages.items()})


FINE: dict[str, Any] = {"eds_health_status": "HEALTHY"}
SICK = FINE | {"failed_active_health_check": True}
THROWN_OUT = FINE | {"failed_outlier_check": True}


def test_what_is_wrong_with_a_host_makes_it_unhealthy() -> None:
    found = health({"one": page(("cpu", FINE), ("cpu", SICK), ("cpu", THROWN_OUT), ("npu", SICK))})
    assert found == RouterHealth({"one": {"cpu": TierHealth(1, 3), "npu": TierHealth(0, 1)}})


def test_each_router_pod_has_its_own_view() -> None:
    found = health({"one": page(("cpu", FINE)), "two": page(("cpu", SICK)), "three": page(), "four": None})
    assert found.seen("cpu") == {"one": TierHealth(1, 1), "two": TierHealth(0, 1), "three": TierHealth(0, 0)}
    assert found.silent == ("four",)
    assert found.answers


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"not json", b'{"cluster_statuses": 1}', b"\xff", b"null"])
def test_what_is_no_such_page_is_no_answer(body: bytes) -> None:
    found = health({"one": body})
    assert found == RouterHealth({"one": None})
    assert not found.answers


@settings(deadline=None)  # how fast a loaded machine is, is not what is tested
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["cluster_statuses", "name", "host_statuses", "locality", "zone", "health_status"])
                | st.text(),
                inner,
            )
        ),
    )
)
def test_no_page_can_break_it(value: Any) -> None:
    health({"one": json.dumps(value).encode()})
