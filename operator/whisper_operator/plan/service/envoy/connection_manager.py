"""What the public and the statistics listener share: Envoy's HTTP connection manager."""

from whisper_operator.plan.service.envoy.extension import Config, extension, socket_address


def listener(name: str, address: str, port: int, manager: Config, **fields: object) -> Config:
    """One port with one connection manager."""
    return {
        "name": name,
        "address": socket_address(address, port),
        "filter_chains": [{"filters": [manager]}],
        **fields,
    }


def http_connection_manager(**fields: object) -> Config:
    """The manager, with the fields that differ from listener to listener."""
    return extension(
        "envoy.filters.network.http_connection_manager",
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        **fields,
    )


def router_filter() -> Config:
    """The last filter of every chain. Envoy's own headers stay inside: callers see only the contract's."""
    return extension(
        "envoy.filters.http.router", "extensions.filters.http.router.v3.Router", suppress_envoy_headers=True
    )
