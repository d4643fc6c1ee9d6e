"""Playing the kubelet for the model sets' Jobs: each pod ends at once, as one would that made its variant."""

from __future__ import annotations

import json

from whisper_operator.cluster.kinds import POD, SELECTOR

from benchmarks.operator.api import STRATEGIC, Api
from tests.integration.jobs import COMPONENT, STEPS, container, made


async def end_jobs(api: Api) -> None:
    """Until cancelled."""
    ended: set[str] = set()
    async for _, pod in api.watch("/api/v1/pods", labelSelector=f"{SELECTOR},{COMPONENT} in ({','.join(STEPS)})"):
        meta = pod["metadata"]
        if meta["uid"] in ended or pod["status"].get("phase") != "Pending":
            continue
        ended.add(meta["uid"])  # what the scheduler says of it may still be on its way
        said = made(meta["labels"][COMPONENT])
        last = container(terminated={"exitCode": 0, "message": json.dumps(said), "reason": "Completed"})
        status = {"status": {"phase": "Succeeded", "containerStatuses": [last]}}
        await api.send("PATCH", POD.path(meta["namespace"], meta["name"], "status"), status, STRATEGIC)
