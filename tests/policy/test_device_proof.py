"""Device proofs: only the right key, algorithm, request and time are taken, whatever else is sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from recycling.errors import DeviceProofOutOfTime, DeviceProofRefused
from recycling.policy.device_proof import TOLERANCE, DeviceProof, read_device_proof, thumbprint_text
from tests.devices import Phone

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
ADDRESS, TOKEN = "https://recycling.example/my-route", "an.access.token"


@pytest.fixture
def phone() -> Phone:
    return Phone()


def claims(phone: Phone, **changed: Any) -> dict[str, Any]:
    with time_machine.travel(NOW, tick=False):
        said = phone.claims("GET", ADDRESS, TOKEN) | changed
    return {name: value for name, value in said.items() if value is not ...}


def read(text: str, *, address: str = ADDRESS, token: str | None = TOKEN) -> DeviceProof:
    return read_device_proof(text, method="GET", address=address, now=NOW, token=token)


def test_a_proof_for_the_request_names_its_key_and_is_marked_by_its_jti(phone: Phone) -> None:
    # when two proofs of one phone and one of another are read
    first, again, other = (read(one.sign(claims(one))) for one in (phone, phone, Phone()))
    # then the key is known again, the proofs are told apart, and each is good until five minutes after its iat
    assert first.is_of(again.thumbprint)
    assert not first.is_of(other.thumbprint)
    assert len({first.mark, again.mark, other.mark}) == 3
    assert first.expires_at == NOW + timedelta(minutes=5)


def test_the_thumbprint_is_that_of_rfc_7638(phone: Phone) -> None:
    # its section 3: the required members in the sequence of their names, without spaces, hashed
    jwk = phone.jwk()
    text = f'{{"crv":"P-256","kty":"EC","x":"{jwk["x"]}","y":"{jwk["y"]}"}}'
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
    assert thumbprint_text(read(phone.sign(claims(phone))).thumbprint) == digest


def test_the_example_of_rfc_9449_is_read() -> None:
    # section 4.1: htu https://server.example.com/token, iat 1562262616
    example = (
        "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0Rs"
        "cEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2"
        "In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2Vu"
        "IiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZ"
        "T3Lg"
    )
    found = read_device_proof(
        example, method="POST", address="https://server.example.com/token", now=datetime.fromtimestamp(1562262616, UTC)
    )
    # section 6.1 gives the thumbprint of the same key
    assert thumbprint_text(found.thumbprint) == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"


@pytest.mark.parametrize(
    "same", [ADDRESS + "?day=2026-11-23", ADDRESS + "#top", "HTTPS://Recycling.Example:443/my-route"]
)
def test_query_case_of_the_host_and_the_usual_port_make_no_difference(phone: Phone, same: str) -> None:
    signed, plain = read(phone.sign(claims(phone, htu=same))), read(phone.sign(claims(phone)), address=same)
    assert signed.is_of(plain.thumbprint)


@pytest.mark.parametrize(
    "changed",
    [
        {"htm": "POST"}, {"htm": "get"}, {"htm": None}, {"htm": ...},
        {"htu": "https://recycling.example/plans"}, {"htu": "http://recycling.example/my-route"},
        {"htu": "https://other.example/my-route"}, {"htu": "https://recycling.example:8443/my-route"},
        {"htu": "https://recycling.example@evil.example/my-route"},
        {"htu": "/my-route"}, {"htu": [ADDRESS]}, {"htu": ...},
        {"ath": "AAAA"}, {"ath": ""}, {"ath": "é"}, {"ath": 1}, {"ath": ...},
        {"jti": ""}, {"jti": "x" * 129}, {"jti": 7}, {"jti": ...},
        {"iat": str(int(NOW.timestamp()))}, {"iat": True}, {"iat": None}, {"iat": ...},
    ],
)  # fmt: skip
def test_a_claim_that_is_not_of_this_request_is_refused(phone: Phone, changed: dict[str, Any]) -> None:
    with pytest.raises(DeviceProofRefused) as refused:
        read(phone.sign(claims(phone, **changed)))
    assert not isinstance(refused.value, DeviceProofOutOfTime)
    assert next(iter(changed)) in refused.value.message


def test_a_proof_with_the_digest_of_another_token_is_refused(phone: Phone) -> None:
    with pytest.raises(DeviceProofRefused, match="ath"):
        read(phone.sign(claims(phone)), token=TOKEN + "x")


@pytest.mark.parametrize("off_s", [-301, 301, -86_400, 10**18, -(10**18), 10**400, math.inf, math.nan])
def test_a_wrong_clock_is_told_ours(phone: Phone, off_s: float) -> None:
    issued = off_s if abs(off_s) > 10**17 or math.isnan(off_s) else NOW.timestamp() + off_s
    with pytest.raises(DeviceProofOutOfTime, match="server_time") as refused:
        read(phone.sign(claims(phone, iat=issued)))
    assert datetime.fromisoformat(refused.value.facts["server_time"]) == NOW


@pytest.mark.parametrize("off_s", [-300, 0, 0.5, 300])
def test_a_clock_within_five_minutes_is_good_enough(phone: Phone, off_s: float) -> None:
    proof = read(phone.sign(claims(phone, iat=NOW.timestamp() + off_s)))
    assert proof.expires_at == NOW + timedelta(seconds=off_s) + TOLERANCE


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def by_hmac(header: dict[str, Any], payload: str, secret: str) -> str:
    """A token signed with a shared secret, by hand: the library would not sign with what looks like a key."""
    signed = f"{encoded(header)}.{payload}"
    digest = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def forged(phone: Phone) -> dict[str, str]:
    """Proofs that somebody without the phone's key, or with another kind of key, can make."""
    said, jwk = claims(phone), phone.jwk()
    header, payload, signature = phone.sign(said).split(".")
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    p384 = ec.generate_private_key(ec.SECP384R1())
    head = {"typ": "dpop+jwt", "jwk": jwk}
    return {
        "alg none": f"{encoded(head | {'alg': 'none'})}.{payload}.",
        "alg None signed": f"{encoded(head | {'alg': 'None'})}.{payload}.{signature}",
        "no alg": f"{encoded(head)}.{payload}.{signature}",
        "HS256 with the public key as secret": by_hmac(head | {"alg": "HS256"}, payload, json.dumps(jwk)),
        "HS256 with a key of its own": jwt.encode(
            said, "k" * 32, algorithm="HS256", headers=head | {"jwk": {"kty": "oct", "k": "a2tr"}}
        ),
        "RS256": jwt.encode(
            said, rsa_key, algorithm="RS256",
            headers=head | {"jwk": RSAAlgorithm.to_jwk(rsa_key.public_key(), as_dict=True)},
        ),
        "ES384": jwt.encode(
            said, p384, algorithm="ES384", headers=head | {"jwk": ECAlgorithm.to_jwk(p384.public_key(), as_dict=True)}
        ),
        "another key than the header's": Phone().sign(said, jwk=jwk),
        "a private key in the header": phone.sign(said, jwk=ECAlgorithm.to_jwk(phone.key, as_dict=True)),
        "a point off the curve": phone.sign(said, jwk=jwk | {"x": jwk["y"]}),
        "no key": phone.sign(said, jwk=None),
        "a key by name": phone.sign(said, jwk="mine"),
        "a short coordinate": phone.sign(said, jwk=jwk | {"x": "AQ"}),
        "another type": phone.sign(said, typ="JWT"),
        "another payload": f"{header}.{encoded(said | {'jti': 'other'})}.{signature}",
        "no signature": f"{header}.{payload}.",
        "a list as payload": jwt.PyJWS().encode(b"[]", phone.key, algorithm="ES256", headers=head),
        "text as payload": jwt.PyJWS().encode(b"hello", phone.key, algorithm="ES256", headers=head),
        "nesting without end": jwt.PyJWS().encode(b"[" * 2000, phone.key, algorithm="ES256", headers=head),
        "two at once": f"{phone.sign(said)},{phone.sign(said)}",
        "nothing": "",
        "words": "not a proof",
        "characters of another kind": phone.sign(said) + "é",
        "too much": phone.sign(said | {"more": "x" * 4096}),
    }  # fmt: skip


def test_nobody_else_can_make_a_proof(phone: Phone) -> None:
    assert read(phone.sign(claims(phone))).expires_at == NOW + TOLERANCE
    for name, text in forged(phone).items():
        with pytest.raises(DeviceProofRefused):
            pytest.fail(f"{name}: {read(text)}")


def test_whatever_comes_as_a_header_is_refused_and_never_a_fault(phone: Phone) -> None:
    _, payload, signature = phone.sign(claims(phone)).split(".")
    headers: tuple[Any, ...] = (
        [],
        1,
        None,
        "x",
        {"alg": ["ES256"]},
        {"alg": "ES256", "typ": {"a": 1}, "jwk": [1]},
        "[" * 1500,
    )
    for strange in headers:
        head = strange if isinstance(strange, str) else json.dumps(strange)
        text = base64.urlsafe_b64encode(head.encode()).decode().rstrip("=")
        with pytest.raises(DeviceProofRefused):
            read(f"{text}.{payload}.{signature}")
