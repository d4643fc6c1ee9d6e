"""The steps from nothing to a cluster whose nodes are Ready, in order."""

import os
import socket
from dataclasses import dataclass
from functools import partial

from tests.cluster import base, cgroups, control_plane, dns, images, network, node, slots
from tests.cluster.addresses import Addresses, node_name
from tests.cluster.api import Api
from tests.cluster.binaries import Binaries
from tests.cluster.control_plane import Plane
from tests.cluster.dns import Dns
from tests.cluster.instance import Instance
from tests.cluster.processes import Daemons, wait_until
from tests.cluster.provider import Shape
from tests.cluster.settings import Say

API_PORT = 6443
READY_WITHIN = 180


@dataclass(frozen=True, slots=True)
class Bringup:
    """One cluster on its way up."""

    instance: Instance
    plan: Addresses
    shape: Shape
    binaries: Binaries
    say: Say

    def everything(self) -> None:
        """From an empty slot."""
        self._folders()
        network.create_switch(self.plan)
        network.open_to_the_world(self.plan, slots.HELD)
        self._control_plane()
        self.say("the control plane answers")
        self.nodes(first=1)

    def nodes(self, first: int) -> None:
        """The nodes from number `first` on; with them it is up in this shape."""
        groups = cgroups.detect()
        new = [self.instance.node(number, self.plan, self.shape) for number in range(first, self.shape.nodes + 1)]
        for one in new:
            node.start(one, groups, self.binaries, self.instance.credentials)
        self._wait_ready()
        if archives := self.instance.images():
            images.load([one.socket for one in new], archives, self.binaries, self.say)
        self.instance.keep_shape(self.shape)

    def _folders(self) -> None:
        self.instance.logs.mkdir(parents=True)
        self.instance.volumes.mkdir()
        os.chown(self.instance.volumes, int(control_plane.POD_USER), int(control_plane.POD_USER))
        control_plane.VOLUMES_MOUNT.mkdir(exist_ok=True)

    def _control_plane(self) -> None:
        groups, group = cgroups.detect(), f"{self.plan.prefix}/control-plane"
        groups.create(group)
        launch = Daemons(groups.members_file(group), self.instance.logs)
        plane = Plane(
            directory=self.instance.folder,
            address=str(self.plan.gateway),
            advertised=str(self.plan.gateway),
            port=API_PORT,
            services=str(self.plan.services),
            node_grace=self.shape.node_grace,
            volumes=self.instance.volumes,
        )
        known = control_plane.start(plane, self.binaries, launch)
        dns.start(Dns(self.plan, self.shape.dns_ttl), plane, self.binaries, known, launch)
        api = Api(self.instance.kubeconfig)
        for path, manifest in base.objects(self.plan):
            wait_until(partial(api.apply, path, manifest), within=60, what=f"{path} is accepted")

    def _wait_ready(self) -> None:
        api, logs = Api(self.instance.kubeconfig), self.instance.logs
        for number in range(1, self.shape.nodes + 1):
            name = node_name(number)
            log = logs / f"{name}-kubelet.log"
            wait_until(partial(api.node_is_ready, name), within=READY_WITHIN, what=f"{name} is Ready", log=log)
        # pods are refused before their namespace has this one
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        wait_until(lambda: api.get(account), within=60, what="the default ServiceAccount exists")
        wait_until(self._dns_answers, within=60, what="DNS answers", log=logs / "coredns.log")

    def _dns_answers(self) -> bool:
        try:
            socket.create_connection((str(self.plan.gateway), dns.PORT), timeout=1).close()
        except OSError:
            return False
        return True
