"""The whole configuration, from its parts."""

import zlib
from functools import lru_cache

import yaml

from whisper_operator.plan.service.envoy.cluster import chain_cluster, sessions_cluster
from whisper_operator.plan.service.envoy.drain import pause_cluster
from whisper_operator.plan.service.envoy.extension import Config
from whisper_operator.plan.service.envoy.overload import overload_manager
from whisper_operator.plan.service.envoy.public_listener import public_listener
from whisper_operator.plan.service.envoy.settings import RouterSettings
from whisper_operator.plan.service.envoy.stats_listener import admin, admin_cluster, stats_listener

KEPT = 4096
"""Configurations: more than one operator has services."""
LOG_FIELDS = {"time": "%Y-%m-%dT%T.%eZ", "level": "%l", "logger": "%n", "message": "%j"}


def bootstrap(settings: RouterSettings) -> Config:
    """The configuration as data."""
    return {
        "node": {"id": settings.name, "cluster": settings.name},
        "admin": admin(settings),
        "overload_manager": overload_manager(settings),
        "application_log_config": {"log_format": {"json_format": LOG_FIELDS}},
        "static_resources": {
            "listeners": [public_listener(settings), stats_listener(settings)],
            "clusters": [
                chain_cluster(settings),
                sessions_cluster(settings),
                admin_cluster(settings),
                pause_cluster(settings.stats_port),
            ],
        },
    }


def render(settings: RouterSettings) -> str:
    """As YAML, in the order in which it is built, so that a person can read it in the ConfigMap."""
    return zlib.decompress(_compressed(settings)).decode()


@lru_cache(maxsize=KEPT)
def _compressed(settings: RouterSettings) -> bytes:
    """Kept for the next look at the same service: writing YAML takes longer than all the rest of planning."""
    text = yaml.dump(bootstrap(settings), Dumper=_Readable, sort_keys=False, width=120)
    return zlib.compress(text.encode())


class _Readable(yaml.CSafeDumper):
    """A script as lines, not as one string of escapes; and in C, five times as fast for a thousand services."""


def _text(dumper: _Readable, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Readable.add_representer(str, _text)
