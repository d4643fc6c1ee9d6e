from itertools import combinations

from tests.cluster.addresses import MAX_NODES, SLOTS, Addresses, node_name

LINK_NAME_BYTES = 15


def test_clusters_share_no_address() -> None:
    plans = [Addresses(slot) for slot in range(SLOTS)]
    networks = [network for plan in plans for network in (plan.network, plan.services)]
    assert not any(one.overlaps(other) for one, other in combinations(networks, 2))


def test_pods_nodes_and_services_of_a_cluster_share_no_address() -> None:
    plan = Addresses(1)
    networks = [plan.nodes, plan.services, *(plan.pods(number) for number in range(1, MAX_NODES + 1))]
    assert not any(one.overlaps(other) for one, other in combinations(networks, 2))


def test_every_node_is_on_the_switch_and_no_two_at_one_address() -> None:
    plan = Addresses(7)
    nodes = [plan.node(number) for number in range(1, MAX_NODES + 1)]
    assert len({*nodes, plan.gateway}) == MAX_NODES + 1
    assert all(node in plan.nodes for node in nodes)


def test_names_fit_into_a_link() -> None:
    assert len(Addresses(SLOTS - 1).prefix) <= LINK_NAME_BYTES
    assert len(node_name(MAX_NODES)) <= LINK_NAME_BYTES
