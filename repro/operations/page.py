"""Pages of HTML that are one file each and ask for nothing."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from repro.errors import ConfigurationError, DataFileError

if TYPE_CHECKING:
    from collections.abc import Sequence

# A browser that reads this refuses every request that a page might make after all.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
body { font-family: sans-serif; margin: 2em; max-width: 110em }
table { border-collapse: collapse; font-size: 0.85em; margin: 1em 0 }
th, td { border-bottom: 1px solid #ccc; padding: 0.25em 0.7em; text-align: left;
  vertical-align: top; white-space: pre-wrap; overflow-wrap: anywhere }
th { position: sticky; top: 0; background: #fff; border-bottom: 1px solid #000 }
svg { max-width: 100%; height: auto }
"""


def check_path(path: str, what: str, suffixes: Sequence[str]) -> None:
    """Refuse a file that could not be written in the end, before what goes into it is computed.

    Raises
    ------
    ConfigurationError
        If its suffix names no kind of what it shall be.
    DataFileError
        If its folder is not there, or it is a folder itself.
    """
    if Path(path).suffix not in suffixes:
        raise ConfigurationError(f"{path}: a {what} ends in {' or '.join(suffixes)}")
    if Path(path).is_dir() or not Path(path).parent.is_dir():
        raise DataFileError(path, "is a folder, or in one that is not there")


def page(title: str, parts: Sequence[str]) -> str:
    """Make a page of parts, which are HTML."""
    body = "\n".join(parts)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<h1>{escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    )


def paragraph(text: str) -> str:
    """Make a paragraph of a text."""
    return f"<p>{escape(text)}</p>"


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Make a table of texts."""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
