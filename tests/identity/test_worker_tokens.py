"""Tokens of workers: what is signed here is read here, and nothing else is."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hosting.domain.admission import SigningKeyMissing, TokenExpired, TokenInvalid
from hosting.domain.scope import TenantId
from hosting.domain.secret import Secret
from hosting.domain.signing_key import SigningKey
from hosting.ports.tokens import WorkerClaims
from tests.identity.forgeries import forgeries
from tests.identity.tokens import NOW, claims, decoded, is_signed, tokens_at

OLD, NEW = SigningKey.of("key-1", bytes(range(32))), SigningKey.of("key-2", bytes(range(32, 64)))
TEXTS = st.text(st.characters(codec="utf-8"), max_size=40)
TIMES = st.datetimes(NOW.replace(tzinfo=None) + timedelta(seconds=1), datetime(9000, 1, 1), timezones=st.just(UTC))


def refuses(read: Callable[[Secret], WorkerClaims], token: str) -> bool:
    """Say whether a token is taken for none of ours."""
    try:
        read(Secret(token))
    except TokenInvalid:
        return True
    return False


@given(
    st.builds(
        WorkerClaims,
        jti=TEXTS,
        project=st.none() | TEXTS,
        tenant=TEXTS.map(TenantId),
        worker_id=TEXTS,
        registration_id=TEXTS,
        scopes=st.lists(TEXTS, max_size=4).map(tuple),
        expires_at=TIMES.map(lambda moment: moment.replace(microsecond=0)),
    )
)
def test_what_was_signed_is_read_again(said: WorkerClaims) -> None:
    tokens = tokens_at(NOW, OLD)

    assert said == tokens.read(tokens.issue(said))


@given(st.text(max_size=60) | st.from_regex(r"[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}"))
def test_no_other_text_is_a_token(text: str) -> None:
    tokens = tokens_at(NOW, OLD)

    with pytest.raises(TokenInvalid):
        tokens.read_expired(Secret(text))


def test_a_token_says_who_its_worker_is_in_the_names_of_the_wire() -> None:
    expires_at = NOW + timedelta(hours=1)

    token = tokens_at(NOW, OLD).issue(claims(expires_at)).reveal()

    header, payload = (json.loads(decoded(segment)) for segment in token.split(".")[:2])
    assert header == {"typ": "worker+jwt", "alg": "HS256", "kid": "key-1"}
    assert payload == {
        "iss": "branchline",
        "aud": "branchline-workers",
        "jti": "jti_1",
        "proj": "web",
        "org": "local",
        "sub": "wrk_1",
        "reg": "reg_1",
        "scope": ["poll", "report"],
        "iat": int(NOW.timestamp()),
        "exp": int(expires_at.timestamp()),
    }


def test_a_token_is_good_until_its_second_and_not_in_it() -> None:
    expires_at = NOW + timedelta(hours=1)
    token = tokens_at(NOW, OLD).issue(claims(expires_at))

    before = tokens_at(expires_at - timedelta(microseconds=1), OLD)
    then = tokens_at(expires_at, OLD)

    assert before.read(token) == claims(expires_at)
    with pytest.raises(TokenExpired, match=r"^Runtime token expired\.$"):
        then.read(token)
    assert then.read_expired(token) == claims(expires_at)


def test_the_newest_key_signs_and_all_verify() -> None:
    expires_at = NOW + timedelta(hours=1)
    before, after = tokens_at(NOW, OLD), tokens_at(NOW, OLD, NEW)

    of_before, of_after = before.issue(claims(expires_at)), after.issue(claims(expires_at))

    assert (is_signed(of_before.reveal(), OLD.reveal()), is_signed(of_after.reveal(), NEW.reveal())) == (True, True)
    assert after.read(of_before) == after.read(of_after) == claims(expires_at)
    with pytest.raises(TokenInvalid):
        before.read(of_after)


def test_a_token_whose_key_is_gone_is_no_token_any_more() -> None:
    token = tokens_at(NOW, OLD).issue(claims(NOW + timedelta(hours=1)))

    with pytest.raises(TokenInvalid):
        tokens_at(NOW, NEW).read(token)
    with pytest.raises(TokenInvalid):
        tokens_at(NOW, SigningKey(OLD.id, NEW.secret)).read(token)


def test_without_a_key_nothing_is_signed_and_nothing_is_read() -> None:
    token = tokens_at(NOW, OLD).issue(claims(NOW + timedelta(hours=1)))

    with pytest.raises(SigningKeyMissing, match="BRANCHLINE_KEY_FILE"):
        tokens_at(NOW).issue(claims(NOW + timedelta(hours=1)))
    with pytest.raises(TokenInvalid):
        tokens_at(NOW).read(token)


def test_every_forgery_is_refused_whether_or_not_its_age_counts() -> None:
    tokens = tokens_at(NOW, OLD, NEW)
    good = tokens.issue(claims(NOW + timedelta(hours=1))).reveal()
    other = tokens.issue(claims(NOW + timedelta(hours=2), "other")).reveal()
    forged = forgeries(good, other, NEW) | {"a line end behind it": f"{good}\n", "a space behind it": f"{good} "}

    refused = [name for name, token in forged.items() if refuses(tokens.read, token)]
    refused_however_old = [name for name, token in forged.items() if refuses(tokens.read_expired, token)]

    assert refused == refused_however_old == list(forged)
    assert len(forged) >= 60
    assert len(set(forged.values())) == len(forged)
    assert tokens.read(Secret(good)) == claims(NOW + timedelta(hours=1))
