"""Device proofs (设备签名): that a request comes from the device whose key a token is bound to, by DPoP (RFC 9449).

The device signs method, address, instant, a number used once and the digest of its token with a key that never leaves
it. A stolen token is worth nothing without that key, and a copied proof nothing a second time.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from jwt.algorithms import ECAlgorithm
from jwt.exceptions import PyJWTError

from recycling.errors import DeviceProofOutOfTime, DeviceProofRefused

ALGORITHM = "ES256"  # the one every phone's key store makes (Android Keystore, Secure Enclave, Web Crypto)
TOLERANCE = timedelta(minutes=5)  # either way: phones keep bad time, and correct it by the answer
LONGEST = 4096  # characters; an honest one has about 500
LONGEST_JTI = 128
COORDINATE = re.compile("[A-Za-z0-9_-]{43}")  # 32 bytes in base64url
ADDRESS = re.compile(r"(https?)://([^/?#@\s]+?)(:[0-9]{1,5})?(/[^?#\s]*)?(?:[?#].*)?", re.IGNORECASE)
DEFAULT_PORTS = {"http": ":80", "https": ":443"}
KEYS_KEPT = 1024  # several times the devices of a district

HOW = "send a fresh DPoP proof: a JWT of type dpop+jwt, signed ES256, its public key as jwk in the header"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceProof:
    """A proof whose signature, address and instant are right; whether it was used before is not known here.

    Parameters
    ----------
    thumbprint
        SHA-256 of the key, RFC 7638.
    mark
        What it is remembered by once used: a digest of key and ``jti``.
    expires_at
        From when on it would be refused for its age alone.
    """

    thumbprint: bytes
    mark: bytes
    expires_at: datetime

    def is_of(self, thumbprint: bytes) -> bool:
        """Whether it was signed with the key of this thumbprint."""
        return hmac.compare_digest(self.thumbprint, thumbprint)


def read_device_proof(text: str, *, method: str, address: str, now: datetime, token: str | None = None) -> DeviceProof:
    """Check a proof for the request it came with.

    Parameters
    ----------
    method, address
        The request's own; query and fragment of the address count on neither side.
    token
        The access or refresh token that the request carries; ``None`` at the sign-in.

    Raises
    ------
    DeviceProofRefused
        When the proof has another form, key type, algorithm, method, address or token, or its signature is not its
        key's.
    DeviceProofOutOfTime
        When all that is right and its instant is not.
    """
    thumbprint, claims = _verified(text)
    jti, issued_s = claims.get("jti"), claims.get("iat")
    if not isinstance(jti, str) or not 1 <= len(jti) <= LONGEST_JTI:
        raise _refused(f"jti must be a text of 1 to {LONGEST_JTI} characters, new for every request", "jti 无效")
    if claims.get("htm") != method:
        raise _refused(f"htm must be {method}, the method of this request", "htm 与请求方法不符")
    wanted = _bare(address)
    if wanted is None or _bare(claims.get("htu")) != wanted:
        raise _refused(f"htu must be {address.partition('?')[0][:200]}, the address of this request", "htu 与地址不符")
    if token is not None and not _is_digest_of(claims.get("ath"), token):
        raise _refused("ath must be the SHA-256 of the token sent beside it, in base64url", "ath 与令牌不符")
    expires_at = _still_good_until(issued_s, now=now)
    return DeviceProof(
        thumbprint=thumbprint, mark=hashlib.sha256(thumbprint + jti.encode("utf-8", "replace")).digest(),
        expires_at=expires_at,
    )  # fmt: skip


def thumbprint_text(thumbprint: bytes) -> str:
    """A thumbprint as ``cnf.jkt`` of a token holds it."""
    return _base64url(thumbprint)


def _verified(text: str) -> tuple[bytes, dict[str, Any]]:
    """The key's thumbprint, and the claims of a proof whose signature is that key's."""
    if len(text) > LONGEST or not text.isascii():
        raise _refused(f"the proof has {len(text)} characters or is no JWT", "格式不正确")
    try:
        header = jwt.get_unverified_header(text)
        if header.get("typ") != "dpop+jwt" or header.get("alg") != ALGORITHM:
            raise _refused(f"typ must be dpop+jwt and alg {ALGORITHM}", f"typ 须为 dpop+jwt，alg 须为 {ALGORITHM}")
        key, thumbprint = _key(*_coordinates(header.get("jwk")))
        claims = json.loads(jwt.PyJWS().decode(text, key, algorithms=[ALGORITHM]))
    except (PyJWTError, ValueError, RecursionError) as error:
        raise _refused("the proof is no JWT signed with the key in its header", "签名无效") from error
    if not isinstance(claims, dict):
        raise _refused("the payload is no object", "内容无效")
    return thumbprint, claims


def _coordinates(jwk: Any) -> tuple[str, str]:
    right_kind = isinstance(jwk, dict) and (jwk.get("kty"), jwk.get("crv")) == ("EC", "P-256") and "d" not in jwk
    found = (jwk.get("x"), jwk.get("y")) if right_kind else (None, None)
    x, y = (one if isinstance(one, str) and COORDINATE.fullmatch(one) else None for one in found)
    if x is None or y is None:
        raise _refused("jwk must be a public key of kty EC and crv P-256 with x and y", "jwk 须为 P-256 公钥")
    return x, y


@lru_cache(maxsize=KEYS_KEPT)
def _key(x: str, y: str) -> tuple[EllipticCurvePublicKey, bytes]:
    """The key of two coordinates, and its thumbprint: members in the sequence and spelling of RFC 7638."""
    members = {"crv": "P-256", "kty": "EC", "x": x, "y": y}
    key = ECAlgorithm.from_jwk(members)
    if not isinstance(key, EllipticCurvePublicKey):
        raise ValueError("a private key")
    return key, hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest()


def _still_good_until(issued_s: Any, *, now: datetime) -> datetime:
    if isinstance(issued_s, bool) or not isinstance(issued_s, int | float):
        raise _refused("iat must be the seconds since 1970", "iat 无效")
    earliest, latest = (now - TOLERANCE).timestamp(), (now + TOLERANCE).timestamp()
    if not earliest <= issued_s <= latest:  # as numbers: a JSON number may be too large for a date, or none (NaN)
        raise DeviceProofOutOfTime(
            f"the proof's iat is {str(issued_s)[:20]}, more than {int(TOLERANCE.total_seconds())} s from our clock;"
            f" here it is {now.isoformat(timespec='seconds')} (server_time): correct by the difference and sign anew"
            " / 设备时间有误，请按 server_time 校正后重试",
            server_time=now.isoformat(timespec="milliseconds"),
        )
    return datetime.fromtimestamp(issued_s, UTC) + TOLERANCE


def _bare(address: Any) -> tuple[str, str, str, str] | None:
    """Scheme, host, port and path of an address, written the one way they are compared in."""
    found = ADDRESS.fullmatch(address) if isinstance(address, str) else None
    if found is None:
        return None
    scheme, host, port, path = found[1].lower(), found[2].lower(), found[3] or "", found[4] or "/"
    return scheme, host, "" if port == DEFAULT_PORTS[scheme] else port, path


def _is_digest_of(claimed: Any, token: str) -> bool:
    expected = _base64url(hashlib.sha256(token.encode("utf-8", "replace")).digest())
    return isinstance(claimed, str) and hmac.compare_digest(claimed.encode("utf-8", "replace"), expected.encode())


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _refused(what: str, what_zh: str) -> DeviceProofRefused:
    return DeviceProofRefused(f"device proof refused: {what}; {HOW} / 设备签名被拒绝：{what_zh}")
