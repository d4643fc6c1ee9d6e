"""In which order, and how, a set and its service can be deleted."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.e2e.resources import model_set, whisper_service
from tests.integration import jobs
from tests.integration.deletion.place import Place, delete_both
from tests.support.api_client import CLAIM, JOB, KINDS, MODELSET, WHISPERSERVICE, Kind, Object


def the_set_first(place: Place) -> None:
    place.delete(MODELSET, "models")
    place.wait_gone(MODELSET, "models")
    place.delete(WHISPERSERVICE, "speech")


def the_service_first(place: Place) -> None:
    place.delete(WHISPERSERVICE, "speech")
    place.wait_gone(WHISPERSERVICE, "speech")
    place.delete(MODELSET, "models")


def both_at_once(place: Place) -> None:
    with ThreadPoolExecutor() as pool:
        both = [pool.submit(place.delete, *one) for one in ((MODELSET, "models"), (WHISPERSERVICE, "speech"))]
    for one in both:
        one.result()


def in_the_background(place: Place) -> None:
    delete_both(place)


def in_the_foreground(place: Place) -> None:
    delete_both(place, "Foreground")


def orphaned_and_taken_in_again(place: Place) -> None:
    """What they made stays, as was asked for; those that come after them own it."""
    specs = specifications(place)
    delete_both(place, "Orphan")
    place.wait_gone(WHISPERSERVICE, "speech")
    place.wait_gone(MODELSET, "models")
    assert place.find("Deployment", "speech-router")
    place.apply(*specs)
    place.wait(lambda: all_taken_in(place), "the new ones own everything")
    come_and_go(place, specs)


def all_taken_in(place: Place) -> bool:
    """What is planned is taken in at once: a runtime when its models are there, a Job by what it says at its end."""
    for component in jobs.STEPS:
        if live := place.job(component):
            place.end_pod(live, 0, jobs.made(component))
    new = uid(place, WHISPERSERVICE, "speech")
    names = [one["metadata"]["name"] for one in place.api.items(KINDS["Deployment"], place.name)]
    return not place.api.items(JOB, place.name) and {owner(place, "Deployment", name) for name in names} == {new}


def made_anew(place: Place) -> None:
    """Both come back under the same names at once, become whole, and go."""
    specs = specifications(place)
    delete_both(place)
    come_and_go(place, specs)


def specifications(place: Place) -> tuple[Object, Object]:
    models, service = place.find(MODELSET, "models"), place.find(WHISPERSERVICE, "speech")
    assert models
    assert service
    return model_set() | {"spec": models["spec"]}, whisper_service() | {"spec": service["spec"]}


def come_and_go(place: Place, specs: tuple[Object, Object]) -> None:
    place.apply(*specs)
    place.wait(
        lambda: owner(place, "Deployment", "speech-router") == uid(place, WHISPERSERVICE, "speech"), "it is whole"
    )
    if (specs[0]["spec"].get("storage") or {}).get("reclaimPolicy") == "Delete":
        place.wait(lambda: owner(place, CLAIM, "models-models") == uid(place, MODELSET, "models"), "the claim is owned")
    else:
        place.wait(lambda: is_kept(place), "the claim is nobody's")
    delete_both(place)


def owner(place: Place, kind: str | Kind, name: str) -> str | None:
    references = (place.find(kind, name) or {"metadata": {}})["metadata"].get("ownerReferences", [])
    return references[0]["uid"] if len(references) == 1 else None


def uid(place: Place, kind: Kind, name: str) -> str | None:
    found = place.find(kind, name)
    return found["metadata"]["uid"] if found else None


def is_kept(place: Place) -> bool:
    found = place.find(CLAIM, "models-models")
    return found is not None and not {"ownerReferences", "deletionTimestamp"} & set(found["metadata"])


def the_claim_by_hand_first(place: Place) -> None:
    """It comes back, empty, and with it everything begins anew."""
    before = uid(place, CLAIM, "models-models")
    place.delete(CLAIM, "models-models")
    place.wait(lambda: uid(place, CLAIM, "models-models") not in (None, before), "the claim is another one")
    delete_both(place)


def with_the_namespace(place: Place) -> None:
    place.end()


_AS_NAMED: tuple[Callable[[Place], None], ...] = (
    the_set_first,
    the_service_first,
    both_at_once,
    in_the_background,
    in_the_foreground,
    orphaned_and_taken_in_again,
    made_anew,
    the_claim_by_hand_first,
    with_the_namespace,
)
ORDERS = {order.__name__.replace("_", " "): order for order in _AS_NAMED}
