"""How Envoy names a part of itself: an extension with its protobuf type."""

from datetime import timedelta
from typing import Any

Config = dict[str, Any]

LOOPBACK = "127.0.0.1"
TYPES = "type.googleapis.com/envoy."


def typed(message: str, **fields: Any) -> Config:
    """A message of a named type; `message` leaves out the prefix that all of Envoy's types share."""
    return {"@type": TYPES + message, **fields}


def extension(name: str, message: str, **fields: Any) -> Config:
    """An extension's name with its typed configuration."""
    return {"name": name, "typed_config": typed(message, **fields)}


def duration(value: timedelta) -> str:
    """Protobuf's JSON form of a duration: `0.5s`, `600s`."""
    return f"{value.total_seconds():.3f}".rstrip("0").rstrip(".") + "s"


def loopback_cluster(name: str, port: int) -> Config:
    """The proxy itself, reached by its own requests."""
    endpoint = {"endpoint": {"address": socket_address(LOOPBACK, port)}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def socket_address(address: str, port: int) -> Config:
    """A host, by address or by name, and its port."""
    return {"socket_address": {"address": address, "port_value": port}}
