"""Who the caller is and which roles exist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args
from uuid import UUID

Role = Literal["resident", "collector", "keeper", "dispatcher", "clerk", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
STAFF_ROLES: tuple[Role, ...] = ROLES[1:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The caller of a use case.

    Parameters
    ----------
    id
        Row id of the resident or the staff member.
    role
        What they may do.
    station_key
        A keeper's station, else ``None``.
    collector_key
        A collector's key in ``config/district/network.toml``, else ``None``.
    device_id
        The device that the sign-in is bound to, where it is bound to one.
    """

    id: UUID
    role: Role
    station_key: str | None = None
    collector_key: str | None = None
    device_id: UUID | None = None


# Scheduled jobs and the command line act under this name; no sign-in leads to it.
SYSTEM = Principal(id=UUID(int=0), role="admin")
