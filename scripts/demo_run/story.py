"""What the demo says at its end: the transcript, and what to try next in commands that work as they stand."""

from collections.abc import Sequence
from pathlib import Path

from scripts.demo_run.kubectl import Kubectl
from scripts.demo_run.settings import CLIP, NAMESPACE, QUICKSTART
from scripts.demo_run.transcript import Answer
from scripts.image_build.settings import REPOSITORY


def result(answers: Sequence[Answer]) -> str:
    """The first answer, and how long each took."""
    first, *more = answers
    took = f"{first.seconds:.2f} s" + "".join(f" (again: {answer.seconds:.2f} s)" for answer in more)
    return (
        f"$ {first.command}\n\n"
        f"  {first.text}\n\n"
        f"  served by the {first.runtime} runtime; {first.audio_seconds:.0f} s of audio took {took}"
    )


def next_steps(kubectl: Kubectl) -> str:
    """Commands to go on with."""
    clip, quickstart = CLIP.relative_to(REPOSITORY), QUICKSTART.relative_to(REPOSITORY)
    mine = f"kubectl -n {NAMESPACE}"
    return f"""Try next, in this folder:

  export KUBECONFIG={kubectl.kubeconfig} PATH="{Path(kubectl.program).parent}:$PATH"

  # what there is, and who serves; conditions and events, each with its reason
  {mine} get mset,wsvc
  {mine} describe wsvc whisper

  # the same service as OpenAI's API
  {mine} port-forward service/whisper 8080:80 &
  curl -F file=@{clip} -F model=whisper-1 http://127.0.0.1:8080/v1/audio/transcriptions

  # lose a pod, and ask again: the other one answers
  {mine} delete --wait=false $({mine} get pod -l app.kubernetes.io/name=whisper-cpu -o name | head -1)

  # undo what the operator did: it is back within seconds
  {mine} delete deployment whisper-router
  {mine} get deployments --watch

  # another precision or model, more replicas
  ${{EDITOR:-vi}} {quickstart} && {mine} apply -f {quickstart}

  # again, only what changed; and take it all away
  make demo
  make demo-down"""
