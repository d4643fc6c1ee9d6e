"""Variants that somebody publishes ready-made: taken where the source is the catalogue's, and told of either way."""

from typing import Any

import pytest
from whisper_operator.api.modelset import VariantState
from whisper_operator.plan.types import Progress

from tests.unit.operator.world import DIGEST, World, beside, settle_all

GGML = {"format": "ggml", "precision": "q5_1"}
TAKEN: dict[str, Any] = {"premade": "ggerganov/whisper.cpp"}
NOT_THERE: dict[str, Any] = {"converted_because": "http://hub has no ggerganov/whisper.cpp"}
NEW = "sha256:" + "1" * 64


def model(variant: dict[str, str] = GGML, **source: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"name": "tiny.en", "variants": [variant]}
    return found | ({"source": source} if source else {})


def with_base(**spec: Any) -> World:
    """The checkpoint is there, and what is made of it about to be."""
    world = World(spec={"models": [model()]} | spec)
    world.settle()
    world.bind()
    world.succeed("download")
    world.settle()
    return world


def said(**more: Any) -> dict[str, Any]:
    return {"outcome": "Ready", "revision": "r9", "digest": DIGEST, "size_bytes": 7, "path": "p"} | more


def made(world: World, **more: Any) -> None:
    """The Job has it, one way or the other, and it is compared."""
    world.end(world.running("take"), said(**more))
    world.settle()
    world.succeed("validate")
    world.settle()


HUB: dict[str, Any] = {"endpoint": "http://mirror.example"}
THEIRS: dict[str, Any] = {"persistentVolumeClaim": {"claimName": "theirs"}}
PINNED = {"repo": "openai/whisper-tiny.en", "revision": "87c7102498dcde7456f24cfd30239ca606ed9063"}
SOURCES: list[tuple[str, dict[str, Any], str]] = [
    ("the catalogue's", {}, "take"),
    ("a mirror for the set", {"source": {"huggingFace": HUB}}, "take"),
    ("a mirror for the model", {"models": [model(huggingFace=HUB)]}, "take"),
    ("the same commit, said again", {"models": [model(huggingFace=PINNED)]}, "take"),
    ("a fine-tune", {"models": [model(huggingFace={"repo": "me/tiny"})]}, "convert"),
    ("a branch", {"models": [model(huggingFace={"revision": "main"})]}, "convert"),
    ("an archive", {"models": [model(http={"url": "http://web.example/m.tar", "sha256": "0" * 64})]}, "convert"),
    ("a claim", {"models": [model(persistentVolumeClaim={"claimName": "theirs"})]}, "take"),
    ("a claim for the set", {"source": THEIRS}, "take"),
    ("a claim, and nothing that others made", {"source": THEIRS, "readyMade": "Never"}, "convert"),
    ("what nobody publishes", {"models": [model({"format": "ggml", "precision": "q4_0"})]}, "convert"),
    ("what is published, said", {"readyMade": "IfPublished"}, "take"),
    ("nothing that others made", {"readyMade": "Never"}, "convert"),
]


@pytest.mark.parametrize(("spec", "task"), [case[1:] for case in SOURCES], ids=[case[0] for case in SOURCES])
def test_only_what_was_made_of_this_checkpoint_is_taken(spec: dict[str, Any], task: str) -> None:
    world = with_base(**spec)
    assert world.task(world.running()) == task


def test_what_was_taken_says_whose_it_is_is_compared_and_never_made_again() -> None:
    world = with_base()
    made(world, **TAKEN)
    found = world.variant("ggml")
    assert (found.state, found.taken_from, found.made_from) == (VariantState.READY, "ggerganov/whisper.cpp", None)
    assert (found.revision, found.similarity) == ("r9", 1.0)
    assert any("as ggerganov/whisper.cpp publishes it" in event.message for event in world.events)
    count = len(world.made)
    world.wait(days=30)
    world.settle()
    assert len(world.made) == count == 3


def test_what_a_claim_has_is_looked_for_there_and_named_by_the_claim() -> None:
    folder = {"claimName": "theirs", "path": "models"}
    world = with_base(models=[model({"format": "onnx", "precision": "int8"}, persistentVolumeClaim=folder)])
    pod = world.jobs[world.running("take")]["spec"]["template"]["spec"]
    args = pod["containers"][0]["args"]
    assert args[args.index("--from") : args.index("--from") + 2] == ["--from", "/source"]
    assert "--endpoint" not in args
    assert {"name": "source", "persistentVolumeClaim": {"claimName": "theirs", "readOnly": True}} in pod["volumes"]
    made(world, premade="/source")
    found = world.variant("onnx")
    assert (found.state, found.taken_from, found.made_from) == (VariantState.READY, "claim theirs/models", None)
    assert any("as claim theirs/models has it" in event.message for event in world.events)
    count = len(world.made)
    world.wait(days=30)
    world.settle()
    assert len(world.made) == count


def test_what_was_converted_before_claims_were_looked_at_stays_for_either_ready_made() -> None:
    """As an older operator left it, which converted whatever had a claim for its source, and had one input for all."""
    world = with_base(source=THEIRS)
    made(world)
    before = [one | {} for one in world.status["variants"]]
    count = len(world.made)
    world.change(readyMade="Never")
    world.settle()
    world.status = world.status | {"variants": before}
    world.settle()
    assert (len(world.made), world.jobs) == (count, {})
    assert world.condition("Ready") == ("True", "Ready")


def test_what_was_not_to_be_had_is_converted_and_says_why() -> None:
    world = with_base()
    made(world, **NOT_THERE)
    found = world.variant("ggml")
    assert (found.state, found.taken_from, found.made_from) == (VariantState.READY, None, DIGEST)
    assert found.converted_because == NOT_THERE["converted_because"]
    assert [event.message for event in world.events if NOT_THERE["converted_because"] in event.message] == [
        f"tiny.en ggml q5_1 is ready (7 B), converted here and not taken ready-made: {NOT_THERE['converted_because']}"
    ]


def test_while_it_works_its_state_is_what_it_does() -> None:
    world = with_base()
    job = world.running("take")
    states = []
    for stage in ("Resolving", "Downloading", "Converting", "Optimizing", "Validating"):
        world.progress[job] = Progress(stage, 1, None, None, None)
        world.settle()
        states.append(str(world.variant("ggml").state))
    assert states == ["Downloading", "Downloading", "Converting", "Optimizing", "Validating"]


def test_what_an_older_operator_converted_stays_as_it_is() -> None:
    """Its status knows nothing of ready-made variants; its input has not changed."""
    world = with_base()
    made(world)
    before = [one | {} for one in world.status["variants"]]
    for one in before:
        one.pop("takenFrom", None)
        one.pop("convertedBecause", None)
    world.status = world.status | {"variants": before}
    world.settle()
    assert len(world.made) == 3
    assert world.condition("Ready") == ("True", "Ready")


def test_a_new_base_makes_conversions_anew_and_leaves_what_was_taken() -> None:
    for words, again in ((TAKEN, []), (NOT_THERE, ["take"])):
        world = with_base()
        made(world, **words)
        for one in world.status["variants"]:
            if one["format"] == "pytorch":
                one["digest"] = NEW
        world.settle()
        assert [world.task(name) for name in world.jobs] == again


def test_a_set_that_comes_later_knows_whose_it_is() -> None:
    world = with_base()
    made(world, **TAKEN)
    other = beside(world, models=[model()])
    settle_all(world, other)
    assert other.variant("ggml").taken_from == "ggerganov/whisper.cpp"
    assert len(world.made) == 3


def test_never_makes_anew_what_was_taken_and_asks_nobody() -> None:
    world = with_base()
    made(world, **TAKEN)
    world.change(readyMade="Never")
    world.settle()
    assert world.task(world.running("ggml")) == "convert"
    world.end(world.running("convert"), said(digest=NEW))
    world.settle()
    world.succeed("validate")
    world.settle()
    found = world.variant("ggml")
    assert (found.digest, found.taken_from, found.made_from) == (NEW, None, DIGEST)
    assert world.condition("Ready") == ("True", "Ready")


def test_never_leaves_alone_what_was_converted_for_want_of_a_ready_made_one() -> None:
    world = with_base()
    made(world, **NOT_THERE)
    count = len(world.made)
    for choice in ("Never", "IfPublished"):
        world.change(readyMade=choice)
        world.settle()
        assert (len(world.made), world.jobs) == (count, {})
        assert world.condition("Ready") == ("True", "Ready")
        assert world.variant("ggml").converted_because == NOT_THERE["converted_because"]


def test_what_never_converted_stays_when_ready_made_ones_are_welcome_again_and_says_why() -> None:
    world = with_base(readyMade="Never")
    for task in ("convert", "validate"):
        world.succeed(task)
        world.settle()
    count = len(world.made)
    assert world.variant("ggml").converted_because is None
    world.change(readyMade="IfPublished")
    world.settle()
    found = world.variant("ggml")
    assert (len(world.made), world.jobs) == (count, {})
    assert (found.state, found.taken_from, found.made_from) == (VariantState.READY, None, DIGEST)
    assert found.converted_because == "it was converted here before, and what is there stays"


def test_a_job_that_is_about_to_take_one_is_ended_by_never() -> None:
    world = with_base()
    taking = world.running("take")
    world.change(readyMade="Never")
    world.settle()
    assert world.running("convert") == taking, "one name, so that two never write the same variant"


def test_two_sets_change_their_minds_one_after_the_other_and_nothing_is_made_again() -> None:
    world = with_base()
    made(world, **NOT_THERE)
    other = beside(world, models=[model()])
    settle_all(world, other)
    world.change(readyMade="Never")
    settle_all(world, other)
    assert other.condition("Stalled") == ("True", "SourceConflict")
    other.change(readyMade="Never")
    settle_all(world, other)
    assert [one.condition("Ready") for one in (world, other)] == [("True", "Ready")] * 2
    assert len(world.made) == 3


def test_never_changes_nothing_where_nobody_publishes_it() -> None:
    world = with_base(models=[model({"format": "ggml", "precision": "q4_0"})])
    for task in ("convert", "validate"):
        world.succeed(task)
        world.settle()
    count = len(world.made)
    world.change(readyMade="Never")
    world.settle()
    assert len(world.made) == count
    assert world.condition("Ready") == ("True", "Ready")


def test_two_sets_on_a_claim_cannot_have_both() -> None:
    world = with_base()
    made(world, **TAKEN)
    other = beside(world, models=[model()], readyMade="Never")
    settle_all(world, other)
    assert other.condition("Stalled") == ("True", "SourceConflict")
    assert "readyMade" in (other.variant("ggml").message or "")
    assert world.variant("ggml").taken_from == "ggerganov/whisper.cpp"
    assert len(world.made) == 3
