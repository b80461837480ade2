"""Which program makes a report (程序版本): its version, a digest of the code that counts, the libraries that write."""

from __future__ import annotations

import hashlib
import platform
import zlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from recycling.errors import NotInstalled
from recycling.gateways.paper import pdf_of
from recycling.models.publication import FileForm

PACKAGE = Path(__file__).resolve().parents[2]
# What decides a figure or how it is written. A change anywhere else does not change a report.
COUNTING = ("units.py", "policy/*.py", "usecases/reporting/*.py", "gateways/workbook.py", "templates/paper/report.*")
LIBRARIES = ("holidays", "sqlalchemy", "weasyprint", "xlsxwriter")
PROBE = "<p style='font-family: Noto Sans CJK SC, sans-serif'>薛城回收 Xuecheng 0123456789</p>"


@cache
def program() -> dict[str, Any]:
    """The program's version, the digest of its counting code, and its libraries: no git is needed where it runs."""
    return _code() | {"libraries": {"python": platform.python_version()} | {name: _version(name) for name in LIBRARIES}}


@cache
def _code() -> dict[str, Any]:
    digest = hashlib.sha256()
    for path in sorted({path for pattern in COUNTING for path in PACKAGE.glob(pattern)}):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(PACKAGE).as_posix()} {len(content)}\n".encode() + content)
    return {"version": _version("xuecheng-recycling"), "code_sha256": digest.hexdigest()}


@cache
def made_with(form: FileForm) -> dict[str, Any]:
    """What the bytes of a file depend on besides the report: where this is the same, so are they."""
    needed = _code() | {"python": platform.python_version()}
    if form == "xlsx":
        needed |= {"xlsxwriter": _version("xlsxwriter"), "zlib": zlib.ZLIB_RUNTIME_VERSION}
    if form == "pdf":
        needed |= {"weasyprint": _version("weasyprint"), "press": _press()}
    return needed


def _press() -> str:
    """A digest of a short text as it is set here: of WeasyPrint, Pango, the fonts and the packer, all in one."""
    try:
        return hashlib.sha256(pdf_of(PROBE, identifier=b"probe")).hexdigest()
    except NotInstalled:
        return "none"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
