"""Where models come from, and the way there."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from whisper_operator.api.schema import Endpoint, ObjectName, Part, rules

Repository = Annotated[str, Field(min_length=3, max_length=200, pattern=r"^[\w.-]+/[\w.-]+$")]
Revision = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[\w./-]+$")]


class HubModel(Part):
    """Where on a Hugging Face compatible hub one model lies."""

    repo: Repository | None = None
    """`organisation/name`; the catalogue's when absent."""
    revision: Revision | None = None
    """Branch, tag or commit; the catalogue's pinned commit when absent."""
    endpoint: Endpoint | None = None
    """Hub address for this model; the set's when absent."""


class HttpArchive(Part):
    """A plain address that leads to one model."""

    url: Endpoint
    """Address of a tar archive of the model's folder (safetensors and JSON, as on a hub)."""
    sha256: Annotated[str, Field(min_length=64, max_length=64, pattern=r"^[0-9a-f]{64}$")]
    """Digest of the archive, without which it is not trusted."""


class ClaimFolder(Part):
    """A folder on a claim in the same namespace, which is only read."""

    claim_name: ObjectName
    """Name of the claim."""
    path: Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[\w-][\w.-]*(/[\w-][\w.-]*)*$")] | None = None
    """Folder below the root of the claim; the root when absent."""


def one_of(*fields: str) -> dict[str, Any]:
    """`json_schema_extra`: exactly one of these fields is there."""
    count = " + ".join(f"(has(self.{field}) ? 1 : 0)" for field in fields)
    return rules((f"{count} == 1", f"give exactly one of {', '.join(fields)}"))


class ModelSource(Part):
    """Where one model comes from."""

    model_config = ConfigDict(json_schema_extra=one_of("huggingFace", "http", "persistentVolumeClaim"))

    hugging_face: HubModel | None = None
    """A Hugging Face compatible hub."""
    http: HttpArchive | None = None
    """A plain address."""
    persistent_volume_claim: ClaimFolder | None = None
    """The model's folder on a claim, or a store of models as a ModelSet fills it."""


class SecretKey(Part):
    """One key of a Secret in the same namespace."""

    name: ObjectName
    """Name of the Secret."""
    key: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")] | None = None
    """Key in the Secret; `token` when absent."""


class Hub(Part):
    """A Hugging Face compatible hub, for the whole set."""

    endpoint: Endpoint | None = None
    """Hub address; the operator's setting when absent, else the public hub."""
    token_secret_ref: SecretKey | None = None
    """Access token for gated models, mounted as a file into download Jobs only; a model with another endpoint of its
    own gets none, so that no other host is told it."""


class Source(Part):
    """Where models come from, for the whole set."""

    model_config = ConfigDict(json_schema_extra=one_of("huggingFace", "persistentVolumeClaim"))

    hugging_face: Hub | None = None
    """A Hugging Face compatible hub."""
    persistent_volume_claim: ClaimFolder | None = None
    """A store of models on a claim, as another ModelSet fills it."""


class Proxy(Part):
    """The way out of the cluster, for Jobs that download."""

    http_proxy: Endpoint | None = None
    """Proxy for plain HTTP."""
    https_proxy: Endpoint | None = None
    """Proxy for HTTPS."""
    no_proxy: Annotated[str, Field(max_length=1024, pattern=r"^[^\s]*$")] | None = None
    """Hosts, domains and address ranges that are reached without a proxy, separated by commas."""


class BundleRef(Part):
    """One key of a ConfigMap or of a Secret in the same namespace."""

    kind: Literal["ConfigMap", "Secret"]
    """Kind of the object."""
    name: ObjectName
    """Its name."""
    key: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$")] | None = None
    """Key in it; `ca.crt` when absent."""
