"""How much of a download that was cut is fetched again."""

from tests.e2e.faults.model_faults import Cut, refetched


def test_a_download_that_goes_on_where_it_was_cut_fetches_nothing_again() -> None:
    assert refetched([Cut(part=500, asked=1), Cut(part=900, asked=2)], [0, 500, 900]) == 0


def test_a_download_that_begins_anew_fetches_all_that_was_there_again() -> None:
    assert refetched([Cut(part=500, asked=1), Cut(part=900, asked=2)], [0, 500, 0]) == 900


def test_a_cut_before_the_first_byte_or_after_the_last_costs_nothing() -> None:
    assert refetched([Cut(part=0, asked=0), Cut(part=0, asked=1)], [0]) == 0
