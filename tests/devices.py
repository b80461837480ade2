"""A collector's phone: a key that never leaves it, and the proof it signs for every request (DPoP, RFC 9449)."""

from __future__ import annotations

import base64
import hashlib
import uuid
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from recycling.clock import utc_now

HERE = "http://localhost"  # where a test client of Flask calls


@dataclass(kw_only=True)
class Phone:
    """One phone, with the clock of the test unless ``clock_off_s`` puts it wrong."""

    id: uuid.UUID = field(default_factory=uuid.uuid4)
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False)
    clock_off_s: float = 0

    def jwk(self) -> dict[str, Any]:
        """The public half, as the proof's header carries it."""
        return dict(ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True))

    def claims(self, method: str, address: str, token: str | None = None) -> dict[str, Any]:
        """What a proof for a request says."""
        said: dict[str, Any] = {
            "jti": str(uuid.uuid4()), "htm": method, "htu": address.partition("?")[0],
            "iat": int(utc_now().timestamp() + self.clock_off_s),
        }  # fmt: skip
        if token is not None:
            digest = hashlib.sha256(token.encode()).digest()
            said["ath"] = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        return said

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        """Sign claims; fields of the header may be other than they should."""
        return jwt.encode(claims, self.key, algorithm="ES256", headers={"typ": "dpop+jwt", "jwk": self.jwk()} | header)

    def proof(self, method: str, address: str, token: str | None = None) -> str:
        """A fresh proof for a request."""
        return self.sign(self.claims(method, address, token))

    def headers(self, method: str, address: str, token: str) -> dict[str, str]:
        """The two headers of a request with a token that is bound to this phone."""
        return {"Authorization": f"DPoP {token}", "DPoP": self.proof(method, address, token)}
