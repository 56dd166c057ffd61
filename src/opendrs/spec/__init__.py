"""The contract of the API as data: what README.md in this folder says, typed. Needs the standard library only."""

from opendrs.spec.contract import (
    VERSIONS,
    Field,
    Model,
    OperationSpec,
    Parameter,
    Type,
    model,
    models,
    operation,
    operations,
)
from opendrs.spec.facts import Absence, ErrorCode, Extra, Legality, Status, absences, errors, extras, legality, statuses

__all__ = [
    "VERSIONS",
    "Absence",
    "ErrorCode",
    "Extra",
    "Field",
    "Legality",
    "Model",
    "OperationSpec",
    "Parameter",
    "Status",
    "Type",
    "absences",
    "errors",
    "extras",
    "legality",
    "model",
    "models",
    "operation",
    "operations",
    "statuses",
]
