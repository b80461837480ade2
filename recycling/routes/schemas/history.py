"""Declared history and baselines as they come in and go out."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, validate

from recycling.routes.schemas.fields import Day, QueryWhole, Schema, Text, Whole
from recycling.usecases.reporting.baselines import StatedBaseline

MOST = 10**15  # grams or pieces of a year; past that it is a typing error on any planet


class HistoryWantedSchema(Schema):
    """What the file is, in the words of whoever sends it."""

    source_document = Text(
        most=200,
        required=True,
        metadata={"description": "来源文件 / the document that the figures are from; rows may name their own"},
    )
    dry_run = fields.String(
        load_default="false", validate=validate.OneOf(("true", "false")),
        metadata={"description": "试运行 / read the whole file, keep nothing"},
    )  # fmt: skip


class DeclaredRehearsalSchema(Schema):
    """What a file would declare, and which of its months stand declared already and would be superseded."""

    form = fields.String(required=True, validate=validate.OneOf(("csv-utf-8", "csv-gb18030", "xlsx")))
    figures = fields.Integer(required=True)
    first_month = fields.Date(required=True)
    last_month = fields.Date(required=True)
    supersedes = fields.List(fields.Date(), required=True)


class DeclaredUploadSchema(Schema):
    """One upload of declared figures."""

    number = fields.Integer(required=True)
    sha256 = fields.String(required=True)
    form = fields.String(required=True, validate=validate.OneOf(("csv-utf-8", "csv-gb18030", "xlsx")))
    source_document = fields.String(required=True)
    figures = fields.Integer(required=True)
    first_month = fields.Date(required=True)
    last_month = fields.Date(required=True)
    uploaded_by_id = fields.UUID(required=True)
    uploaded_at = fields.AwareDateTime(required=True)


class DeclaredUploadListSchema(Schema):
    """A page of uploads, newest first."""

    uploads = fields.List(fields.Nested(DeclaredUploadSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class PageFilterSchema(Schema):
    """Which page of a list."""

    cursor = Text(most=400)
    limit = QueryWhole(load_default=50, least=1, most=200)


class DeclaredFilterSchema(Schema):
    """Which declared figures; of one upload, or those that count now. Months by any day of theirs."""

    first = Day(data_key="from")
    last = Day(data_key="to")
    upload = QueryWhole(least=1, most=10**9)
    cursor = Text(most=800)
    limit = QueryWhole(load_default=100, least=1, most=500)


class DeclaredFigureSchema(Schema):
    """What was declared of a month; ``item_type`` is empty for a whole group, ``town_key`` for the whole district."""

    month = fields.Date(required=True)
    item_group = fields.String(required=True)
    item_type = fields.String(required=True)
    town_key = fields.String(required=True)
    units = fields.Integer(required=True, allow_none=True)
    mass_g = fields.Integer(required=True, allow_none=True)
    provenance = fields.String(required=True, validate=validate.Equal("declared"))
    upload_number = fields.Integer(required=True)
    line = fields.Integer(required=True)
    source_document = fields.String(required=True)


class DeclaredListSchema(Schema):
    """A page of declared figures, by month."""

    figures = fields.List(fields.Nested(DeclaredFigureSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class StatedBaselineSchema(Schema):
    """A baseline as somebody states it from a document; ``reason`` is needed where it restates a confirmed one."""

    scope = Text(most=80, required=True, metadata={"description": "such as household-appliances/2"})
    year = Whole(least=2000, most=2100, required=True)
    # Zero and less are refused in words by the use case.
    units = Whole(least=-MOST, most=MOST, required=True)
    mass_g = Whole(least=-MOST, most=MOST, required=True)
    source_document = Text(most=200, required=True)
    document_sha256 = fields.String(
        required=True,
        validate=validate.Regexp(
            r"\A[0-9a-fA-F]{64}\Z", error="is no SHA-256: 64 hexadecimal digits / 须为 64 位十六进制 SHA-256"
        ),
    )
    note = Text(least=0, most=500, load_default="")
    reason = Text(least=0, most=500, load_default="")

    @post_load
    def stated(self, values: dict[str, Any], **_: Any) -> StatedBaseline:
        """As the use case takes it."""
        return StatedBaseline(**values)


class BaselineVersionSchema(Schema):
    """One version of a baseline; frozen by ``sha256`` once a second person has confirmed it."""

    id = fields.UUID(required=True)
    scope = fields.String(required=True)
    scope_key = fields.String(required=True)
    scope_version = fields.Integer(required=True)
    year = fields.Integer(required=True)
    version = fields.Integer(required=True)
    state = fields.String(required=True, validate=validate.OneOf(("proposed", "confirmed")))
    units = fields.Integer(required=True)
    mass_g = fields.Integer(required=True)
    source_document = fields.String(required=True)
    document_sha256 = fields.String(required=True)
    note = fields.String(required=True)
    reason = fields.String(required=True)
    proposed_by_id = fields.UUID(required=True)
    proposed_at = fields.AwareDateTime(required=True)
    confirmed_by_id = fields.UUID(required=True, allow_none=True)
    confirmed_at = fields.AwareDateTime(required=True, allow_none=True)
    sha256 = fields.String(required=True, allow_none=True)


class BaselineListSchema(Schema):
    """A page of baselines, newest first."""

    baselines = fields.List(fields.Nested(BaselineVersionSchema), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
