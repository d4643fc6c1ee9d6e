"""The custom resources as types: what a user may write, what the operator answers, and the CRDs made from both."""

GROUP = "whisper.livetranslate.io"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
