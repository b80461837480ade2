"""Imports of bookings as they are asked for and answered; the table itself is read by `import_table`."""

from __future__ import annotations

from marshmallow import fields, validate

from recycling.routes.schemas.fields import Schema


class ImportWantedSchema(Schema):
    """How to take the table."""

    dry_run = fields.String(
        load_default="false",
        validate=validate.OneOf(("true", "false")),
        metadata={"description": "只校验不预约 / prove the whole table, book nothing"},
    )


class ImportedBookingSchema(Schema):
    """One booking of the table; ``id`` is null in a dry run."""

    booking = fields.String(required=True)
    lines = fields.List(fields.Integer(), required=True)
    id = fields.UUID(required=True, allow_none=True)
    visits = fields.Integer(required=True, metadata={"description": "上门次数 / visits that its items take"})
    day = fields.Date(required=True)
    pickup_window = fields.String(required=True)


class BookingImportSchema(Schema):
    """What came of a table. It repeats no text of a cell but the booking's name, which is letters and digits."""

    dry_run = fields.Boolean(required=True)
    encoding = fields.String(required=True, validate=validate.OneOf(("utf-8", "gb18030")))
    rows = fields.Integer(required=True)
    bookings = fields.List(fields.Nested(ImportedBookingSchema), required=True)
