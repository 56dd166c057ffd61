"""The names that online-DDL tools give to tables which are about to trade places with another."""

from __future__ import annotations

import re
from typing import Final

from opendrs.model.catalog import TableName

# gh-ost: _t_gho (the new table), _t_del (the old one on its way out, perhaps with a time: _t_20240131235959_del).
# pt-online-schema-change: _t_new, _t_old, with more underscores in front if that name is taken.
# Source: the tools' manuals, go/base/context.go of gh-ost.
_SHADOWS: Final = (
    re.compile(r"_(?P<table>.+)_gho"),
    re.compile(r"_(?P<table>.+?)(?:_\d{14})?_del"),
    re.compile(r"_{1,10}(?P<table>[^_].*)_(?:new|old)"),
)


def shadow_of(name: TableName) -> TableName | None:
    """The table that an online-DDL tool puts this one in the place of, or has put aside as this one; None if the name
    is not of that kind."""
    found = next((found for pattern in _SHADOWS if (found := pattern.fullmatch(name.table))), None)
    return TableName(name.schema, found["table"]) if found else None
