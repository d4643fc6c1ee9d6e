"""What the demo says at its end: the transcript, and what to try next in commands that work as they stand."""

from collections.abc import Sequence

from scripts.demo_run.kubectl import Kubectl
from scripts.demo_run.settings import CLIP, NAMESPACE, QUICKSTART
from scripts.demo_run.transcript import Answer
from scripts.image_build.settings import REPOSITORY


def result(answers: Sequence[Answer]) -> str:
    """The first answer, and how long each took."""
    first = answers[0]
    seconds = ", ".join(f"{answer.seconds:.2f} s" for answer in answers)
    return (
        f"$ {first.command}\n\n"
        f"  {first.text}\n\n"
        f"  served by the {first.runtime} runtime; {first.audio_seconds:.0f} s of audio took {seconds}"
    )


def next_steps(kubectl: Kubectl) -> str:
    """Commands to go on with."""
    clip, quickstart = CLIP.relative_to(REPOSITORY), QUICKSTART.relative_to(REPOSITORY)
    return f"""Try next, in this folder:

  export KUBECONFIG={kubectl.kubeconfig}
  alias k='{kubectl.program} --namespace {NAMESPACE}'

  k get mset,wsvc                                     # what there is, and who serves
  k describe wsvc whisper                             # conditions and events, each with its reason
  k port-forward service/whisper 8080:80 &            # then, on this machine:
  curl -F file=@{clip} http://127.0.0.1:8080/v1/audio/transcriptions -F model=whisper-1
  k delete pod -l app.kubernetes.io/name=whisper-cpu  # and ask again: the router waits, or says 503 with Retry-After
  k scale deployment whisper-cpu --replicas=0         # the operator puts it back within seconds
  $EDITOR {quickstart} && k apply -f {quickstart}     # fp32, another model, more replicas

  make demo       # again: only what changed
  make demo-down  # take it all away"""
