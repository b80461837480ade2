"""Domain errors: what can go wrong, said once, with the value and the next step in the message.

Nothing here knows HTTP; `recycling/routes/problems.py` holds the one table from these classes to status codes.
"""

from __future__ import annotations

from typing import Any


class DomainError(Exception):
    """Base of everything the domain refuses. ``code`` is stable and meant for programs."""

    code = "refused"
    retryable = False

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class InvalidInput(DomainError):
    """A value breaks a rule of the domain although its type is right."""

    code = "invalid_input"


class UnsupportedMedia(DomainError):
    """The content is of a kind that is not taken, whatever it is called."""

    code = "unsupported_media_type"


class TooLarge(DomainError):
    """What was sent is larger than is taken."""

    code = "too_large"


class WrongHash(InvalidInput):
    """The parts of a file are all there and are not the file they were announced as; none of them is kept."""

    code = "wrong_hash"


class RowsRefused(InvalidInput):
    """A table has rows that cannot be taken; ``facts`` lists where and why, and how many there are in all."""

    code = "rows_refused"


class InvalidProblem(InvalidInput):
    """A planning problem or plan cannot be read; the message names the field and the value."""

    code = "invalid_problem"


class ConfigError(DomainError):
    """A file under ``config/`` or a setting cannot be used; the start is refused."""

    code = "bad_config"


class NotFound(DomainError):
    """Nothing of that id that the caller may see. Foreign and absent answer alike."""

    code = "not_found"


class NotSignedIn(DomainError):
    """The caller has not shown who they are, or the sign-in has ended."""

    code = "not_signed_in"


class DeviceProofRefused(NotSignedIn):
    """The request was not signed by the device that the token belongs to, or was sent before."""

    code = "device_proof_refused"


class DeviceProofOutOfTime(DeviceProofRefused):
    """A device proof is too old or too new by our clock; ``server_time`` tells the device how wrong its own is."""

    code = "device_proof_out_of_time"

    def __init__(self, message: str, *, server_time: str) -> None:
        super().__init__(message, server_time=server_time)


class DeviceProofRequired(InvalidInput):
    """A collector's sign-in came without the key of the device that it is to be bound to."""

    code = "device_proof_required"


class Forbidden(DomainError):
    """The caller's role does not do this."""

    code = "forbidden"


class Conflict(DomainError):
    """The wish clashes with the present state of things."""

    code = "conflict"


class Busy(Conflict):
    """Somebody else holds the row right now; the same request works a moment later."""

    code = "busy"
    retryable = True


class StaleVersion(DomainError):
    """The caller edited an older version of the row than the one stored."""

    code = "stale_version"


class VersionRequired(DomainError):
    """An edit came without saying which version it edits."""

    code = "version_required"


class WrongOffset(Conflict):
    """A part of a file does not follow the parts that are stored; ``facts`` says where to go on."""

    code = "wrong_offset"
    retryable = True


class HoldLapsed(Conflict):
    """A hold was confirmed after its time; its place is free again."""

    code = "hold_lapsed"


class WindowFull(Conflict):
    """No route of the day can serve the wish in its window."""

    code = "window_full"


class WindowClosed(Conflict):
    """The window cannot be booked or changed any more, or not yet."""

    code = "window_closed"


class BookingsOutstanding(Conflict):
    """A person cannot be erased while somebody is on their way to them."""

    code = "bookings_outstanding"


class LimitReached(Conflict):
    """The resident or the address has as many live bookings as it may, or this item on this day already."""

    code = "limit_reached"


class ShortNoticeOnly(WindowClosed):
    """After repeated no-shows only the next service days can be booked."""

    code = "short_notice_only"


class PromisesInTheWay(Conflict):
    """A change of fleet or calendar leaves promises without a place; ``facts`` lists their bookings and what to do."""

    code = "promises_in_the_way"


class PlanRejected(Conflict):
    """The planner's answer breaks rules of its contract; nothing of it is kept."""

    code = "plan_rejected"


class BookingsChanged(Conflict):
    """The day is no longer the one that the plan was made for."""

    code = "bookings_changed"


class PlanReplaced(Conflict):
    """Another plan of the day is the published one than the caller thinks."""

    code = "plan_replaced"


class DayMovedOn(Conflict):
    """Since a proposal for the rest of a day was made, something happened that it does not know."""

    code = "day_moved_on"


class EventIdReused(Conflict):
    """A doorstep record came before under the same id with another content."""

    code = "event_id_reused"


class AlreadyWeighed(Conflict):
    """The station has weighed more than the record leaves as collected."""

    code = "already_weighed"


class SecondPersonNeeded(Conflict):
    """A correction moves more than one person alone may."""

    code = "second_person_needed"


class IdempotencyKeyRequired(DomainError):
    """A creating call came without an ``Idempotency-Key``."""

    code = "idempotency_key_required"


class IdempotencyKeyMismatch(DomainError):
    """The key was used before with another body."""

    code = "idempotency_key_mismatch"


class TooManyRequests(DomainError):
    """A limit on attempts is reached; ``retry_after_s`` says when to try again."""

    code = "too_many_requests"
    retryable = True

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.retry_after_s = retry_after_s


class WrongCode(DomainError):
    """The one-time code or the password is not right, is used up or has expired."""

    code = "wrong_credentials"


class Unavailable(DomainError):
    """Something the request needs does not answer now."""

    code = "unavailable"
    retryable = True


class NotInstalled(DomainError):
    """The server lacks an optional library that the request needs; the operator installs it."""

    code = "not_installed"


class NotTaken(Unavailable):
    """The other server has certainly not taken what it was sent, so that another may be asked for the same at once."""

    code = "not_taken"


class SmsRefused(InvalidInput):
    """The provider refuses a text or its number for good; sending it again cannot help."""

    code = "sms_refused"


class MailRefused(InvalidInput):
    """The mail server refuses a mail or its recipients for good; sending it again cannot help."""

    code = "mail_refused"
