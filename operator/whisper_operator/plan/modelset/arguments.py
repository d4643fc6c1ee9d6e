"""The command line of a Job: `whisper-models …`, as its parser takes it."""

from whisper_models.artifact import THRESHOLD

from whisper_operator.api.modelset import ModelSet
from whisper_operator.plan.modelset.mounts import ROOT, SAMPLES_FOLDER, TOKEN_FILE, TRUST_FILE, own_samples
from whisper_operator.plan.modelset.task import Task, Work
from whisper_operator.plan.types import Defaults


def arguments(models: ModelSet, work: Work, defaults: Defaults) -> list[str]:
    """Command, store, variant and options; reporting is the same for all."""
    store = ["--root", ROOT]
    match work.task:
        case Task.DOWNLOAD | Task.REFRESH:
            return ["download", *store, "--models", work.wanted.model, *_source(models, work, defaults)]
        case Task.TAKE:
            # The catalogue in the image says where: a repository of the spec's would be the checkpoint's.
            asked = ["download", *store, "--models", work.wanted.model, *_form(work), "--or-convert"]
            return [*asked, *_words(models, work.wanted.source.way(TOKEN_FILE, defaults))]
        case Task.CONVERT:
            return ["convert", *store, "--model", work.wanted.model, *_form(work)]
        case Task.VALIDATE:
            return ["validate", *store, "--models", work.wanted.model, *_form(work), *_comparison(models)]
        case Task.VERIFY | Task.REMOVE:
            return [str(work.task), *store, "--models", work.wanted.model, *_form(work)]


def threshold(models: ModelSet) -> float:
    """The least similarity of what is served."""
    asked = models.spec.validation.similarity if models.spec.validation else None
    return THRESHOLD if asked is None else asked


def enforced(models: ModelSet) -> float:
    """The least similarity that a runtime goes by, as a comparison writes it beside the variant."""
    reports = models.spec.validation is not None and models.spec.validation.policy == "Report"
    return 0.0 if reports else threshold(models)


def _form(work: Work) -> list[str]:
    return ["--format", work.wanted.format, "--precision", work.wanted.precision]


def _comparison(models: ModelSet) -> list[str]:
    found = ["--threshold", f"{enforced(models):g}"]
    return [*found, "--samples", SAMPLES_FOLDER] if own_samples(models) else found


def _source(models: ModelSet, work: Work, defaults: Defaults) -> list[str]:
    return _words(models, work.wanted.source.options(work.revision, TOKEN_FILE, defaults))


def _words(models: ModelSet, options: dict[str, str | None]) -> list[str]:
    options = options | {"--ca-bundle": TRUST_FILE if models.spec.ca_bundle_ref else None}
    return [word for option, value in options.items() if value for word in (option, value)]
