"""Where a variant's original comes from: a hub, a plain address, or a folder on a claim."""

import re
from dataclasses import dataclass

from whisper_operator.api.modelset import ModelSet, ModelSpec
from whisper_operator.api.sources import ClaimFolder, HttpArchive, Hub, HubModel, SecretKey
from whisper_operator.plan.types import Defaults

COMMIT = re.compile(r"[0-9a-f]{40}")
"""A revision that means the same for ever."""
FOLDER = "/source"
"""Where a Job finds the claim that it copies from."""


@dataclass(frozen=True, slots=True)
class Origin:
    """One of the three; a hub where nothing is said."""

    hub: HubModel
    http: HttpArchive | None = None
    folder: ClaimFolder | None = None
    token: SecretKey | None = None
    """For a hub, where this one may be told it."""

    @property
    def names_a_model(self) -> bool:
        """Whether it says where a model is that no catalogue knows."""
        return self.hub.repo is not None or self.http is not None or self.folder is not None

    @property
    def is_hub(self) -> bool:
        """Whether a hub is asked."""
        return self.http is None and self.folder is None

    def identity(self, repo: str, revision: str) -> tuple[str, ...]:
        """What stands for the content: another address for the same is no other source.

        Args:
            repo: the catalogue's, where the hub's is not named.
            revision: likewise.
        """
        if self.http is not None:
            return ("sha256", self.http.sha256)
        if self.folder is not None:
            return ("claim", self.folder.claim_name, self.folder.path or "")
        return (self.hub.repo or repo, self.hub.revision or ("" if self.hub.repo else revision))

    def may_change(self, revision: str) -> bool:
        """Whether it may mean something else tomorrow: a branch or a tag; without any it is the main branch."""
        meant = self.hub.revision or ("" if self.hub.repo else revision)
        return self.is_hub and not COMMIT.fullmatch(meant)

    @property
    def claim(self) -> str | None:
        """What people know the folder by, where it is one: in the pod it is the same path for all."""
        if self.folder is None:
            return None
        return f"claim {self.folder.claim_name}" + (f"/{self.folder.path}" if self.folder.path else "")

    def options(self, revision: str | None, token_file: str, defaults: Defaults) -> dict[str, str | None]:
        """As `whisper-models download` takes them; `revision` is one that is meant instead of the spec's."""
        if self.http is not None:
            return {"--url": self.http.url, "--sha256": self.http.sha256}
        if self.folder is not None:
            return self.way(token_file, defaults)
        named = {"--repo": self.hub.repo, "--revision": revision or self.hub.revision}
        return named | self.way(token_file, defaults)

    def way(self, token_file: str, defaults: Defaults) -> dict[str, str | None]:
        """Which folder, or which hub and the token that it is told; what is wanted of it, somebody else says."""
        if self.folder is not None:
            return {"--from": FOLDER}
        return {
            "--endpoint": self.hub.endpoint or defaults.hub_endpoint,
            "--token-file": token_file if self.token else None,
        }


def origin(models: ModelSet, spec: ModelSpec | None) -> Origin:
    """Of one model of the set, or, without one, of an auxiliary."""
    shared = models.spec.source
    hub = (shared.hugging_face if shared else None) or Hub()
    own = spec.source if spec else None
    if own is not None and own.http is not None:
        return Origin(HubModel(), http=own.http)
    if own is not None and own.persistent_volume_claim is not None:
        return Origin(HubModel(), folder=own.persistent_volume_claim)
    if own is None and shared is not None and shared.persistent_volume_claim is not None:
        return Origin(HubModel(), folder=shared.persistent_volume_claim)
    asked = (own.hugging_face if own else None) or HubModel()
    endpoint = asked.endpoint or hub.endpoint
    # No other host than the set's own hub is told its token.
    token = hub.token_secret_ref if endpoint == hub.endpoint else None
    return Origin(asked.model_copy(update={"endpoint": endpoint}), token=token)
