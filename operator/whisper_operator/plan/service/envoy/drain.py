"""How the router ends without losing a request: Kubernetes asks for `/drain` before it sends SIGTERM.

Envoy exits at once on SIGTERM, with whatever is under way, and its images have no shell to wait in. So one page of the
statistics listener does the waiting: it makes Envoy say `connection: close` to its callers, lets the Service forget the
pod, and answers when the last request has been answered. Kubernetes sends SIGTERM after that answer, so an idle router
is gone in seconds and a long transcription is heard to its end.

The page needs a key, since it changes how the router behaves; whoever may read the service in the API server knows it.
"""

from datetime import timedelta
from hashlib import sha256

from whisper_operator.plan.service.envoy.extension import Config, duration, extension, loopback_cluster, typed

DRAIN_PATH = "/drain"
KEY_HEADER = "x-whisper-drain-key"
PAUSE_PATH = "/pause"
PAUSE_CLUSTER = "pause"
LUA = "envoy.filters.http.lua"
FAULT = "envoy.filters.http.fault"
# How long new connections may still arrive: until every node has heard that the pod has left the Service.
FORGOTTEN_AFTER = timedelta(seconds=3)
PAUSE = timedelta(milliseconds=500)

# httpCall yields to Envoy's event loop, so waiting here blocks nobody. A pause is a call that is answered late.
SCRIPT = """\
local function call(handle, cluster, method, path)
  local headers = {[":method"] = method, [":path"] = path, [":authority"] = "localhost"}
  local _, body = handle:httpCall(cluster, headers, "", 5000)
  return body or ""
end

local function pause(handle)
  call(handle, "@PAUSE_CLUSTER@", "GET", "@PAUSE_PATH@")
end

function envoy_on_request(handle)
  call(handle, "admin", "POST", "/drain_listeners?graceful&skip_exit")
  for _ = 1, @FORGOTTEN@ do
    pause(handle)
  end
  for _ = 1, @LONGEST@ do
    local body = call(handle, "admin", "GET", "/stats?filter=^http.public.downstream_rq_active$")
    if tonumber(body:match("downstream_rq_active: (%d+)") or "0") == 0 then
      break
    end
    pause(handle)
  end
  handle:respond({[":status"] = "200"}, "drained\\n")
end
"""


def key(uid: str) -> str:
    """What opens the page for this service."""
    return sha256(f"drain {uid}".encode()).hexdigest()[:32]


def _script(longest: timedelta) -> str:
    values = {
        "PAUSE_CLUSTER": PAUSE_CLUSTER,
        "PAUSE_PATH": PAUSE_PATH,
        "FORGOTTEN": str(FORGOTTEN_AFTER // PAUSE),
        "LONGEST": str(longest // PAUSE),
    }
    found = SCRIPT
    for name, value in values.items():
        found = found.replace(f"@{name}@", value)
    return found


def drain_filters(longest: timedelta) -> list[Config]:
    """For the statistics listener, before its router filter; both do nothing but on a route that says so."""
    return [
        extension(FAULT, "extensions.filters.http.fault.v3.HTTPFault"),
        extension(
            LUA, "extensions.filters.http.lua.v3.Lua", source_codes={"drain": {"inline_string": _script(longest)}}
        ),
    ]


def drain_routes(opened_by: str) -> list[Config]:
    """The page itself, and the late answer that its script waits with."""
    key_matches = {"name": KEY_HEADER, "string_match": {"exact": opened_by}}
    late = {"fixed_delay": duration(PAUSE), "percentage": {"numerator": 100, "denominator": "HUNDRED"}}
    return [
        {
            "match": {"path": DRAIN_PATH, "headers": [key_matches]},
            "direct_response": {"status": 500},  # never reached: the script answers
            "typed_per_filter_config": {LUA: typed("extensions.filters.http.lua.v3.LuaPerRoute", name="drain")},
        },
        {
            "match": {"path": PAUSE_PATH},
            "direct_response": {"status": 204},
            "typed_per_filter_config": {FAULT: typed("extensions.filters.http.fault.v3.HTTPFault", delay=late)},
        },
    ]


def pause_cluster(stats_port: int) -> Config:
    """Where the script sends its pauses: back to the statistics listener."""
    return loopback_cluster(PAUSE_CLUSTER, stats_port)
