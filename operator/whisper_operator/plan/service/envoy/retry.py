"""When a request is sent again, and to whom: a sibling first, then the next tier."""

from datetime import timedelta

from whisper_operator.plan.service.envoy.extension import Config, duration, extension

# Attempts within a tier before the next one is tried: the first pod and one sibling.
ATTEMPTS_PER_TIER = 2
SPARE_ATTEMPTS = 2
# Pods that are asked for a job, which only one of them knows.
ASKED_FOR_A_JOB = 32


def retry_policy(tiers: int, attempt_timeout: timedelta | None) -> Config:
    """The policy for a chain of so many tiers.

    Without a limit for one attempt the request's own is the only one: a runtime is silent until it is done, however
    long that takes. One that hangs fails its liveness probe, and what it held goes to another when its process ends.
    """
    limit = {} if attempt_timeout is None else {"per_try_timeout": duration(attempt_timeout)}
    return {
        **limit,
        # A pod that is gone, that went away in mid-request, that says it is busy (503), or that lacks what the request
        # needs and the next tier may have (421). Transcribing twice does no harm, so a request that was already sent
        # may be sent again.
        "retry_on": "connect-failure,refused-stream,reset,retriable-status-codes",
        "retriable_status_codes": [421, 503],
        "num_retries": ATTEMPTS_PER_TIER * tiers + SPARE_ATTEMPTS,
        "retry_back_off": {"base_interval": "0.01s", "max_interval": "0.1s"},
        # How often another pod is drawn when one was tried before. Each draw takes a sibling of a less busy pod with a
        # chance of one in eight, so that five draws would often end at the pod that has just refused.
        "host_selection_retry_max_attempts": 64,
        "retry_host_predicate": [
            extension(
                "envoy.retry_host_predicates.previous_hosts",
                "extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
            )
        ],
        # Priorities follow health, not load. This is what lets a busy but healthy tier spill over to the next.
        "retry_priority": extension(
            "envoy.retry_priorities.previous_priorities",
            "extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig",
            update_frequency=ATTEMPTS_PER_TIER,
        ),
    }


def new_job_policy(tiers: int) -> Config:
    """A job is given to another pod as long as none can have begun it: not once a part of it was sent and lost."""
    return retry_policy(tiers, None) | {"retry_on": "connect-failure,refused-stream,retriable-status-codes"}


def find_job_policy(tiers: int) -> Config:
    """The pod that has a job is found by asking one after the other: those that do not know it answer 404 at once."""
    return retry_policy(tiers, None) | {
        "retriable_status_codes": [404, 421, 503],
        "num_retries": ASKED_FOR_A_JOB,
        "retry_back_off": {"base_interval": "0.001s", "max_interval": "0.002s"},
    }
