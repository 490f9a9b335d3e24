"""Which credentials count where: the narrower layer wins, and no tenant ever has another one's (C9)."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import product, starmap

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from events.ids import SessionId
from hosting.domain.credential import (
    BLOCKED,
    LONGEST_LABEL,
    MOST_BYTES,
    Credential,
    Layer,
    Place,
    check_layer,
    check_name,
    check_value,
    merge,
)
from hosting.domain.credential_errors import CredentialRefused
from hosting.domain.scope import TenantId

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SEED = int(os.environ.get("SEED", "1"))

# Few of each, so that they meet; and such as are alike, or look like several written in one.
TENANTS = [TenantId(name) for name in ("a", "A", 'a","b')]
PROJECTS = [None, "web", 'web",null']
ENVIRONMENTS = [None, "production", "web"]
SESSIONS = [SessionId("ses_1"), SessionId("web")]
NAMES = ["A", "a", "Worker_Api_Key"]
LAYERS = [*starmap(Layer, product(PROJECTS, ENVIRONMENTS)), *(Layer(session=each) for each in SESSIONS)]


def credential(tenant: TenantId, layer: Layer, name: str) -> Credential:
    """Return one whose value says whose it is."""
    return Credential(tenant, layer, name, "key", NOW, f"{tenant}/{layer.text}/{name}".encode())


EVERY = list(starmap(credential, product(TENANTS, LAYERS, NAMES)))
# A bit for each, so that there are many of them and they can be left out one by one.
_stored = st.binary(min_size=len(EVERY) // 8, max_size=len(EVERY) // 8 + 1).map(
    lambda bits: [each for at, each in enumerate(EVERY[: len(bits) * 8]) if bits[at // 8] >> at % 8 & 1]
)
_places = st.builds(
    Place,
    tenant=st.sampled_from(TENANTS),
    project=st.sampled_from(PROJECTS),
    environment=st.sampled_from([*filter(None, ENVIRONMENTS), "staging"]),
    session=st.sampled_from([None, *SESSIONS]),
)


@given(_stored, _places)
@settings(max_examples=300)
@seed(SEED)
def test_the_narrowest_of_ones_own_counts_and_nobody_elses(stored: Sequence[Credential], place: Place) -> None:
    assert merge(stored, place) == expected(stored, place)


@pytest.mark.campaign
@pytest.mark.timeout(600)
@given(_stored, _places)
@settings(max_examples=10_000)
@seed(SEED)
def test_c9_ten_thousand_maps_never_cross_a_tenant(stored: Sequence[Credential], place: Place) -> None:
    found = merge(stored, place)

    assert found == expected(stored, place)
    assert [each for each in found.values() if each.tenant != place.tenant] == []


@given(_stored.flatmap(lambda stored: st.tuples(st.just(stored), st.permutations(stored))), _places)
def test_the_order_in_which_they_are_found_does_not_count(
    found: tuple[Sequence[Credential], Sequence[Credential]], place: Place
) -> None:
    stored, shuffled = found

    assert merge(shuffled, place) == merge(stored, place)


def test_no_two_credentials_are_sealed_for_the_same() -> None:
    assert len({each.context for each in EVERY}) == len(EVERY)


def expected(stored: Sequence[Credential], place: Place) -> Mapping[str, Credential]:
    """Say in other words what counts: look through the layers of a place, the narrowest first."""
    layers = [
        *([] if place.session is None else [Layer(session=place.session)]),
        Layer(place.project, place.environment),
        Layer(environment=place.environment),
        Layer(project=place.project),
        Layer(),
    ]
    found: dict[str, Credential] = {}
    for layer in layers:
        for each in stored:
            if each.tenant == place.tenant and each.layer == layer and each.name.upper() != "WORKER_API_KEY":
                found.setdefault(each.name, each)
    return found


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "A=B", "A\n", "Ä", "A" * 129, "A\0"])
def test_what_can_be_no_variable_can_be_no_credential(name: str) -> None:
    with pytest.raises(CredentialRefused):
        check_name(name)


@pytest.mark.parametrize("name", ["A", "_", "a1", "A" * 128, "OPENAI_API_KEY"])
def test_what_can_be_a_variable_can_be_a_credential(name: str) -> None:
    check_name(name)


def test_what_workers_are_run_with_is_refused_in_every_spelling() -> None:
    assert len(BLOCKED) == 12
    for name in sorted(BLOCKED):
        for spelled in (name, name.lower(), name.title()):
            with pytest.raises(CredentialRefused, match=spelled):
                check_name(spelled)


@pytest.mark.parametrize("value", ["", "a\0b", "ä" * (MOST_BYTES // 2) + "a"])
def test_what_can_be_no_value_is_refused_without_being_shown(value: str) -> None:
    with pytest.raises(CredentialRefused) as refused:
        check_value(value)

    assert "ä" not in str(refused.value)


@pytest.mark.parametrize("value", [" ", "a\nb", "ä" * (MOST_BYTES // 2)])
def test_all_else_is_a_value(value: str) -> None:
    check_value(value)


@pytest.mark.parametrize(
    "layer",
    [
        Layer(project=""),
        Layer(project=" "),
        Layer(environment="a\nb"),
        Layer(environment="x" * (LONGEST_LABEL + 1)),
        Layer(project="web", session=SessionId("s")),
        Layer(environment="production", session=SessionId("s")),
    ],
)
def test_what_is_no_layer_is_refused(layer: Layer) -> None:
    with pytest.raises(CredentialRefused):
        check_layer(layer)
