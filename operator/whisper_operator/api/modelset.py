"""ModelSet: which Whisper models exist in which formats on one claim."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from whisper_models.artifact import OFFERED, Format

from whisper_operator.api.conditions import Conditions
from whisper_operator.api.pods import Placement, Resources
from whisper_operator.api.resource import Resource
from whisper_operator.api.schema import (
    Message,
    ModelName,
    ObjectName,
    Part,
    RefreshPeriod,
    ShortText,
    Timestamp,
    VerificationPeriod,
    VolumeSize,
    keyed_by,
    rules,
)
from whisper_operator.api.sources import BundleRef, ModelSource, Proxy, Source

KIND = "ModelSet"
PLURAL = "modelsets"

Auxiliary = Annotated[
    str,
    Field(
        min_length=3,
        max_length=127,
        pattern=r"^[a-z0-9]([-._a-z0-9]*[a-z0-9])?/[a-z0-9]([-._a-z0-9]*[a-z0-9])?$",
    ),
]
"""Kind and name of a model around transcription."""
VariantName = Annotated[str, Field(min_length=1, max_length=127, pattern=r"^[a-z0-9]([-._/a-z0-9]*[a-z0-9])?$")]
"""A model's or an auxiliary's."""

NOT_VARIANTS = (Format.AUXILIARY, Format.COREML)  # one has a list of its own, the other no node that could make it
VARIANTS = {str(form): tuple(map(str, several)) for form, several in OFFERED.items() if form not in NOT_VARIANTS}
"""What the spec takes: the precisions of each format."""
VARIANT_RULES = rules(
    (
        " || ".join(f"(self.format == '{one}' && self.precision in {[*VARIANTS[one]]})" for one in VARIANTS),
        "there is no such variant; there are " + "; ".join(f"{one} {', '.join(VARIANTS[one])}" for one in VARIANTS),
    )
)


class VariantSpec(Part):
    """One form of a model on disk."""

    model_config = ConfigDict(json_schema_extra=VARIANT_RULES)

    format: Literal["pytorch", "onnx", "openvino", "ggml", "ctranslate2"]
    """File format; `pytorch` is the base checkpoint (safetensors), which is always there and need not be named."""
    precision: Literal["stored", "fp32", "fp16", "int8", "int4", "int8_float16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0"]
    """Numbers that the weights are kept in; `stored` is the base checkpoint as it was published."""


MODEL_NAME_RULES = rules(
    (
        "!self.startsWith('whisper-')",
        "write the model's short name: tiny.en, not whisper-tiny.en",
    )
)


class ModelSpec(Part):
    """One model of the set."""

    name: Annotated[ModelName, Field(json_schema_extra=MODEL_NAME_RULES)]
    """A catalogue name (`tiny`, `tiny.en`, … `large-v3`, `large-v3-turbo`) or an own one with a source."""
    variants: Annotated[
        tuple[VariantSpec, ...], Field(max_length=16, json_schema_extra=keyed_by("format", "precision"))
    ] = ()
    """Forms to make besides the base checkpoint."""
    source: ModelSource | None = None
    """Instead of the set's source; required for a name that neither the catalogue nor the set's source knows."""


class SamplesRef(Part):
    """A ConfigMap in the same namespace whose `binaryData` holds clips: `NAME.wav`, or `NAME.LANGUAGE.wav`."""

    name: ObjectName
    """Its name."""


class Validation(Part):
    """How near a variant's transcripts must come to those of FP32 ONNX of the same weights."""

    similarity: Annotated[float, Field(ge=0, le=1)] | None = None
    """The least similarity (1 - character error rate after normalisation, of the worst clip); 0.95 when absent."""
    policy: Literal["Enforce", "Report"] | None = None
    """What becomes of a variant below it: `Enforce` (when absent) keeps it from being served, `Report` serves a variant
    as soon as it is made and only tells how it did."""
    samples_config_map_ref: SamplesRef | None = None
    """Own clips besides the one that comes with the image, for example in the language of a fine-tune."""


class ClaimTemplate(Part):
    """The claim to make. What a claim cannot change later, this cannot either."""

    storage_class_name: ObjectName | None = None
    """Storage class; the cluster's default when absent."""
    access_modes: (
        Annotated[
            tuple[Literal["ReadWriteOnce", "ReadWriteMany", "ReadWriteOncePod"], ...], Field(min_length=1, max_length=3)
        ]
        | None
    ) = None
    """ReadWriteOnce when absent; ReadWriteMany lets runtimes run on several nodes."""
    size: VolumeSize | None = None
    """Capacity; 20Gi when absent. It may grow where the storage class allows it."""


class Storage(Part):
    """The volume that holds the models."""

    existing_claim: ObjectName | None = None
    """Use this claim; it is never changed or deleted."""
    claim_template: ClaimTemplate | None = None
    """Make a claim."""
    reclaim_policy: Literal["Retain", "Delete"] | None = None
    """What becomes of a made claim when the set is deleted; Retain when absent."""


class Jobs(Part):
    """How the Jobs that download and convert are run."""

    resources: Resources | None = None
    """Compute resources of a Job's container."""
    placement: Placement | None = None
    """Where Jobs may run."""
    deadline_seconds: Annotated[int, Field(ge=60, le=604800)] | None = None
    """How long one Job may take; six hours when absent."""
    parallelism: Annotated[int, Field(ge=1, le=64)] | None = None
    """How many Jobs may work on the claim at once; 4 when absent, since each may need several times a model's size in
    memory."""


SPEC_RULES = rules(
    (
        "!has(self.refreshEvery) || self.?refreshPolicy.orValue('') == 'OnChange'",
        "spec.refreshEvery: says how often refreshPolicy OnChange asks: set that, or leave this out",
    ),
    (
        "!has(self.storage) || !has(self.storage.existingClaim) || !has(self.storage.claimTemplate)",
        "spec.storage: give existingClaim or claimTemplate, not both",
    ),
    (
        "!has(self.storage) || !has(self.storage.existingClaim) || self.storage.?reclaimPolicy.orValue('') != 'Delete'",
        "spec.storage.reclaimPolicy: an existing claim is never deleted by the operator, so Delete cannot be asked for",
    ),
)


class ModelSetSpec(Part):
    """What should exist."""

    model_config = ConfigDict(json_schema_extra=SPEC_RULES)

    models: Annotated[tuple[ModelSpec, ...], Field(min_length=1, max_length=64, json_schema_extra=keyed_by("name"))]
    """The models of the set."""
    auxiliary: (
        Annotated[tuple[Auxiliary, ...], Field(max_length=32, json_schema_extra={"x-kubernetes-list-type": "set"})]
        | None
    ) = None
    """Models around transcription, by kind and name, as the catalogue has them: `vad/silero`, `alignment/…`."""
    source: Source | None = None
    """Where models come from, unless a model says otherwise; the hub of the operator's settings when absent."""
    storage: Storage | None = None
    """The volume; a new claim of 20Gi when absent."""
    proxy: Proxy | None = None
    """The way out of the cluster, for Jobs that download."""
    ca_bundle_ref: BundleRef | None = None
    """Certificate authorities that downloads trust besides the public ones: a PEM bundle."""
    validation: Validation | None = None
    """How variants are compared with what they were made from."""
    ready_made: Literal["IfPublished", "Never"] | None = None
    """Whether variants are taken that others made: `IfPublished` (when absent) takes those that the catalogue knows, of
    the set's hub, and those that a model's claim has beside the checkpoint, and converts what is not to be had there;
    `Never` converts every variant from its checkpoint, and makes anew what others made."""
    reverify_every: VerificationPeriod | None = None
    """How often every byte on the claim is compared with what was published; only when made, and when a runtime
    complains, when absent."""
    refresh_policy: Literal["IfNotPresent", "OnChange"] | None = None
    """`IfNotPresent` (when absent) keeps what a branch or tag meant when it was downloaded; `OnChange` asks again and
    again what it means now, and makes and serves the new revision. A commit, and so the catalogue's, never changes."""
    refresh_every: RefreshPeriod | None = None
    """How often `OnChange` asks; every hour when absent."""
    jobs: Jobs | None = None
    """How Jobs are run."""
    suspend: bool | None = None
    """Start nothing new and remove nothing; what is there stays."""


class VariantState(StrEnum):
    """How far a variant is.

    `Optimizing` is a conversion into fewer bits than the checkpoint has. `Failed` with the reason `VariantUnverified`
    is made, and kept from being served.
    """

    PENDING = "Pending"
    DOWNLOADING = "Downloading"
    CONVERTING = "Converting"
    OPTIMIZING = "Optimizing"
    VALIDATING = "Validating"
    READY = "Ready"
    FAILED = "Failed"


class Failure(Part):
    """Why the last attempt failed."""

    reason: Annotated[str, Field(max_length=64)]
    """One word."""
    message: Message
    """What was wrong, where, and what to do."""
    time: Timestamp
    """When it was seen."""
    job_uid: Annotated[str, Field(max_length=64)] | None = None
    """The Job that failed, so that one failure is counted once."""
    bytes_done: Annotated[int, Field(ge=0)] | None = None
    """How far the Jobs had got: one that gets further than those before it begins the count of attempts anew."""


class VariantStatus(Part):
    """One variant as it is."""

    name: VariantName
    """Model, or kind and name of an auxiliary one."""
    format: Annotated[str, Field(max_length=32)]
    """File format; `pytorch` is the base checkpoint."""
    precision: Annotated[str, Field(max_length=32)]
    """Numbers that the weights are kept in."""
    state: VariantState
    """How far it is."""
    reason: Annotated[str, Field(max_length=64)] | None = None
    """Why it is not ready."""
    message: Message | None = None
    """The same in a sentence."""
    stage: Annotated[str, Field(max_length=32)] | None = None
    """What the Job is doing."""
    bytes_done: Annotated[int, Field(ge=0)] | None = None
    """Bytes so far."""
    bytes_total: Annotated[int, Field(ge=0)] | None = None
    """Bytes in all, where known; while `Converting` or `Optimizing` nobody counts bytes."""
    bytes_per_second: Annotated[int, Field(ge=0)] | None = None
    """Speed of a transfer, or of reading what is there; none while `Converting` or `Optimizing`."""
    eta_seconds: Annotated[int, Field(ge=0)] | None = None
    """Seconds left of the same."""
    revision: ShortText | None = None
    """The commit it was made from."""
    digest: Annotated[str, Field(max_length=128)] | None = None
    """Digest over all its files."""
    size_bytes: Annotated[int, Field(ge=0)] | None = None
    """Bytes on disk."""
    path: Annotated[str, Field(max_length=512)] | None = None
    """Where it lies below the root of the claim."""
    similarity: Annotated[float, Field(ge=0, le=1)] | None = None
    """How near its transcripts come to those of FP32 ONNX of the same weights: 1 - character error rate, of the worst
    clip; absent until it was validated."""
    validated_with: Annotated[str, Field(max_length=64)] | None = None
    """Stands for the content and the clips that the similarity was measured with."""
    made_from: Annotated[str, Field(max_length=128)] | None = None
    """Digest of the base checkpoint that it was converted from."""
    taken_from: Message | None = None
    """Repository of the hub, or `claim NAME`, that it was taken from ready-made, instead of being converted."""
    converted_because: Message | None = None
    """Why it was converted here, although the catalogue knows who publishes it ready-made, or its source is a claim."""
    verified_at: Timestamp | None = None
    """When every byte of it was last found to be as it was published."""
    refreshed_at: Timestamp | None = None
    """When the hub was last asked what a branch or tag means."""
    attempts: Annotated[int, Field(ge=0)] | None = None
    """Jobs that failed in a row without getting further."""
    next_attempt: Timestamp | None = None
    """When the next Job starts."""
    last_failure: Failure | None = None
    """Why the last Job failed."""
    input: Annotated[str, Field(max_length=64)] | None = None
    """Stands for the claim and the source it is made from; a change of it starts a new Job."""


class StorageStatus(Part):
    """The claim that is used."""

    claim_name: ObjectName
    """Name."""
    claim_uid: Annotated[str, Field(max_length=64)] | None = None
    """UID: a new claim under the same name starts empty."""
    phase: Annotated[str, Field(max_length=32)] | None = None
    """Pending, Bound or Lost."""
    capacity: Annotated[str, Field(max_length=32)] | None = None
    """Size of the volume."""


class ModelSetStatus(Part):
    """What exists."""

    observed_generation: Annotated[int, Field(ge=0)] = 0
    """The generation of the spec that this speaks about."""
    conditions: Conditions = ()
    """Ready, Reconciling, Stalled, StorageReady, Verified."""
    ready: Annotated[str, Field(max_length=16)] | None = None
    """Variants that are ready, of all: `3/5`."""
    progress: Annotated[str, Field(max_length=64)] | None = None
    """What is being done now, in a few characters."""
    models: Annotated[str, Field(max_length=512)] | None = None
    """Names of the models."""
    size: Annotated[str, Field(max_length=32)] | None = None
    """Bytes of all that is ready."""
    storage: StorageStatus | None = None
    """The claim."""
    variants: Annotated[tuple[VariantStatus, ...], Field(max_length=1152)] = ()
    """Each variant, base checkpoints first."""
    leaving: Annotated[tuple[VariantStatus, ...], Field(max_length=1152)] = ()
    """Variants that the spec no longer names and that are still on the claim, each with why."""
    used_by: Annotated[tuple[ObjectName, ...], Field(max_length=256)] = ()
    """WhisperServices that refer to this set."""


class ModelSet(Resource):
    """A set of models on one claim."""

    kind: Annotated[str, Field(max_length=64)] = KIND
    spec: ModelSetSpec
    status: ModelSetStatus = Field(default_factory=ModelSetStatus)
