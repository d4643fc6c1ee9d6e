"""Conditions: the truth about a resource in the form that kubectl, Argo CD and Flux understand (kstatus).

Each type and each reason is explained where it is defined; the reference page is made from here.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from whisper_operator.api.schema import Message, Part, Timestamp, keyed_by


class ConditionType(StrEnum):
    """What a condition speaks about."""

    READY = "Ready"
    """What was asked for is there and works."""
    RECONCILING = "Reconciling"
    """The operator is still bringing the cluster to what the spec says. Absent when it is done."""
    STALLED = "Stalled"
    """Nothing more happens until a person acts. Absent otherwise."""
    STORAGE_READY = "StorageReady"
    """ModelSet: the claim exists, is ours to use, and is bound or binds at its first use."""
    VERIFIED = "Verified"
    """ModelSet: every variant's files have the digests they should have, and each transcribes as near to its original
    as `validation.similarity` asks."""
    MODELS_READY = "ModelsReady"
    """WhisperService: the variant that each runtime needs is in the model set."""
    ROUTING_READY = "RoutingReady"
    """WhisperService: the router answers and has a healthy runtime to send requests to."""
    DEGRADED = "Degraded"
    """WhisperService: it serves, but not with what stands first in its chain, or with less than asked for."""


class Reason(StrEnum):
    """The one-word cause of a condition. Job reasons (NotFound, ChecksumMismatch, …) are passed on as they come."""

    READY = "Ready"
    """Everything asked for is there."""
    PROGRESSING = "Progressing"
    """Work is under way and nothing is wrong."""
    SUSPENDED = "Suspended"
    """`spec.suspend` is true: what is there stays, nothing new is started."""
    INVALID_SPEC = "InvalidSpec"
    """The resource cannot be read (it was stored under older rules)."""
    NAME_TAKEN = "NameTaken"
    """An object with a name that the operator needs exists and belongs to someone else."""
    INTERNAL_ERROR = "InternalError"
    """The operator could not work out what to do, by a mistake of its own: its log has the details."""
    REFUSED = "Refused"
    """The API server refused an object of ours (quota, policy, permission); its own words are in the message."""

    CLAIM_PENDING = "ClaimPending"
    """The claim is not bound yet."""
    CLAIM_BOUND = "ClaimBound"
    """The claim is bound to a volume."""
    CLAIM_WAITS_FOR_POD = "WaitForFirstConsumer"
    """The storage class binds the claim when the first Job's pod is placed."""
    CLAIM_NOT_FOUND = "ClaimNotFound"
    """`storage.existingClaim` names a claim that does not exist."""
    CLAIM_NOT_OURS = "ClaimNotOurs"
    """A claim with the name we would give exists, without our label: the operator does not take it over."""
    CLAIM_DIFFERS = "ClaimDiffers"
    """The claim was made with another storage class or other access modes than the spec now asks for."""
    CLAIM_LOST = "ClaimLost"
    """The claim's volume is gone."""
    CLAIM_TERMINATING = "ClaimTerminating"
    """The claim is being deleted; a new one is made when it is gone."""
    STORAGE_CLASS_NOT_FOUND = "StorageClassNotFound"
    """No such storage class, or none named and the cluster has no default."""
    PROVISIONING_FAILED = "ProvisioningFailed"
    """The storage provider says why it could not make the volume."""

    UNKNOWN_MODEL = "UnknownModel"
    """Not in the catalogue, and the spec gives no source for it."""
    IMAGE_PULL_FAILED = "ImagePullFailed"
    """The image of a pod cannot be pulled."""
    UNSCHEDULABLE = "Unschedulable"
    """No node can take the pod; the scheduler's own words are in the message."""
    NO_MATCHING_NODE = "NoMatchingNode"
    """No node that takes pods has the labels that these ask for, such as a device's: the chain goes on without them."""
    OUT_OF_MEMORY = "OutOfMemory"
    """The kernel ended the process at its memory limit."""
    EVICTED = "Evicted"
    """The node was short of something and put the pod out."""
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    """The Job ran longer than `jobs.deadlineSeconds`."""
    POD_REFUSED = "PodRefused"
    """The Job could not create its pod (quota, Pod Security, admission)."""
    VOLUME_MOUNT_FAILED = "VolumeMountFailed"
    """The node cannot mount a volume of the pod: the claim, or a Secret that does not exist."""
    CONTAINER_FAILED = "ContainerFailed"
    """The container ended or could not start, and left no result."""
    CHECKSUM_MISMATCH = "ChecksumMismatch"
    """What arrived, or lies on the claim, is not what was published: it is not served, and is made again."""
    SOURCE_MISSING = "SourceMissing"
    """What a Job works with is no longer on the claim: it is made again."""
    WAITING_FOR_BASE = "WaitingForBase"
    """A conversion waits for its base checkpoint."""
    WAITING_FOR_TURN = "WaitingForTurn"
    """As many Jobs as `jobs.parallelism` allows are at work on the claim."""
    VERIFIED = "Verified"
    """All files have the digests they should have."""
    VARIANT_UNVERIFIED = "VariantUnverified"
    """The variant transcribes too differently from its original: it is not served, unless `validation.policy` says
    Report."""
    NOT_VALIDATED = "NotValidated"
    """Variants are there and served, but have not been compared with their originals yet."""
    SOURCE_CONFLICT = "SourceConflict"
    """An older ModelSet on the same claim has this variant from another source, or with another `readyMade`: one claim
    holds only one of both."""
    JOB_ELSEWHERE = "SharedJob"
    """Another ModelSet on the same claim is making something else in this variant's place."""
    STILL_IN_USE = "StillInUse"
    """The spec no longer names the variant, but another ModelSet on the claim, a WhisperService or a pod does: it stays
    on the claim."""
    REMOVING = "Removing"
    """The variant is being removed from the claim."""
    VOLUME_NOT_SHAREABLE = "VolumeNotShareable"
    """The claim can be mounted on one node only, and pods that need it were placed on several."""

    MODEL_SET_NOT_FOUND = "ModelSetNotFound"
    """`modelSetRef` names a ModelSet that does not exist."""
    MODEL_SET_INVALID = "ModelSetInvalid"
    """The ModelSet that `modelSetRef` names cannot be read; its own InvalidSpec says why."""
    VARIANT_MISSING = "VariantMissing"
    """The model set has no variant that the runtime can load."""
    VARIANT_PENDING = "VariantPending"
    """The variant is being made."""
    ROLLING_OUT = "RollingOut"
    """Pods are starting or being replaced."""
    NO_HEALTHY_RUNTIME = "NoHealthyRuntime"
    """The router answers but has nothing healthy to send requests to."""
    ROUTER_UNREACHABLE = "RouterUnreachable"
    """A router pod did not answer, or none did."""
    REPLICAS_MISSING = "ReplicasMissing"
    """It serves with fewer replicas than asked for."""


class Condition(Part):
    """One condition, as every Kubernetes tool reads it."""

    type: Annotated[str, Field(max_length=64)]
    status: Literal["True", "False", "Unknown"]
    reason: Annotated[str, Field(max_length=64)]
    message: Message = ""
    observed_generation: Annotated[int, Field(ge=0)] = 0
    last_transition_time: Timestamp


Conditions = Annotated[tuple[Condition, ...], Field(max_length=16, json_schema_extra=keyed_by("type"))]
