"""DataProcessInfo on the wire: rules of tables, read into changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from opendrs.api.body import Wire
from opendrs.api.wire.columns import NO_SCHEMAS, name_problems, named_as, refuse_partition_keys
from opendrs.control.asking import shown
from opendrs.control.changing import FILTERED_MAX, Change, Changes
from opendrs.control.objects import Reading, demand_no_problems, name_problem
from opendrs.control.tree import DatabaseObject, DbObject, TableObject
from opendrs.errors import DrsError, Fault
from opendrs.model.catalog import TableName
from opendrs.model.endpoint import EngineName
from opendrs.model.rules import EXTRA_KINDS, ExtraColumn, JoinedTable, TableRule, problems_of

PLACE: Final = "data_process_info"
INFOS_MAX: Final = 1000
CONTENT, CONFIG = "contentConditionalFilter", "configConditionalFilter"
LEVELS: Final = ("table", "combinations")
SOURCES: Final = ("job", "compare")
AROUND: Final = "prefixAndSuffix"


class AddColumn(Wire):
    """AddColumnInfo."""

    column_name: str
    column_type: str
    column_value: str | None = None
    data_type: str | None = None


class Condition(Wire):
    """DataFilteringCondition."""

    filtering_type: str = CONTENT
    value: str | None = None


class Column(Wire):
    """QueryColumnInfo. `is_filtered`: it is left out."""

    column_name: str
    column_mapped_name: str | None = None
    is_filtered: bool | None = None
    is_partition_key: bool | None = None


class TableColumns(Wire):
    """DbObjectColumnInfo."""

    db_name: str
    schema_name: str | None = None
    table_name: str
    column_infos: list[Column] | None = None


class Rename(Wire):
    """DbOrTableRenameRule."""

    type: str = AROUND
    prefix_name: str | None = None
    suffix_name: str | None = None


class Info(Wire):
    """DataProcessInfo: what is absent stays as it is, what is empty is taken back."""

    filter_conditions: list[Condition] | None = None
    is_batch_process: bool | None = None
    add_columns: list[AddColumn] | None = None
    ddl_operation: dict[str, str | None] | None = None
    dml_operation: str | None = None
    db_object_column_info: TableColumns | None = None
    db_or_table_rename_rule: Rename | None = None
    db_object: DbObject | None = None
    source: str = "job"
    process_rule_level: str | None = None


class Request(Wire):
    """DataProcessReq."""

    data_process_info: list[Info]


@dataclass(slots=True, kw_only=True)
class Asked:
    """What a request comes to.

    ddl         the choice of schema changes, if one was made: as it came
    whole       with it the scope all was named
    """

    changes: Changes = field(default_factory=Changes)
    ddl: dict[str, str | None] | None = None
    ddl_tables: set[TableName] = field(default_factory=set)
    ddl_databases: set[str] = field(default_factory=set)
    whole: bool = False


def asked(request: Request, target: EngineName) -> Asked:
    """Raises PARAMETER_EMPTY, UNSUPPORTED, PARAMETER_INVALID with all that is wrong."""
    infos = request.data_process_info
    if not infos:
        raise DrsError(Fault.PARAMETER_EMPTY, name=PLACE)
    if len(infos) > INFOS_MAX:
        raise DrsError(Fault.PARAMETER_INVALID, name=PLACE, reason=f"there are more than {INFOS_MAX}")
    found, problems = Asked(), list[str]()
    each: list[Change] = []
    joined: dict[TableName, JoinedTable] = {}
    for number, info in enumerate(infos):
        reader = _Reader(info, f"{number}", kafka=target == "kafka")
        each += reader.changes()
        joined |= reader.tree.joined
        reader.tell_ddl(found)
        problems += reader.problems
    filtered = {name for change in each if change.filter for name in change.tables}
    if len(filtered) > FILTERED_MAX:
        problems.append(f"filters of {len(filtered)} tables: {FILTERED_MAX} are allowed at once")
    demand_no_problems(PLACE, problems)
    found.changes = Changes(each=tuple(each), joined=joined)
    return found


class _Reader:
    """Of one DataProcessInfo. `tree` reads the parts that other calls have as well; its problems are all."""

    def __init__(self, info: Info, place: str, *, kafka: bool) -> None:
        self._info = info
        self._place = place
        self._kafka = kafka
        self.tree = Reading(scope="table", kafka=kafka)
        self._tables: dict[TableName, TableObject] = {}
        self._databases: dict[str, DatabaseObject] = {}
        self._everything = False
        if self._word("source", info.source, SOURCES) == "compare":
            raise DrsError(Fault.UNSUPPORTED, what="A filter of comparisons only (source compare)")
        self._read_targets()

    @property
    def problems(self) -> list[str]:
        return [f"{self._place}: {problem}" for problem in self.tree.problems]

    def _word(self, name: str, text: str, words: Sequence[str]) -> str:
        """The word as it is written in the list; empty, and a problem, if it is none of them."""
        found = next((word for word in words if word.lower() == text.lower()), "")
        if not found:
            self.tree.problems.append(f"{name}: {shown(text)!r} is none of {', '.join(words)}")
        return found

    # --- what it is about ---

    def _read_targets(self) -> None:
        asked = self._info.db_object
        if asked is not None:
            self._everything = asked.object_scope.lower() == "all" and not asked.object_info
            for name, database in (asked.object_info or {}).items():
                self._read_database(name, database)
        if (columns := self._info.db_object_column_info) is not None:
            self._read_columns_home(columns)
        self._demand_level()

    def _read_database(self, name: str, database: DatabaseObject) -> None:
        if problem := name_problem(name):
            self.tree.problems.append(problem)
        elif database.schemas:
            self.tree.problems.append(f"{shown(name)}: {NO_SCHEMAS}")
        elif database.sync_type:
            self.tree.database(name, database)
        elif not database.tables:
            self._databases[name] = database
        else:
            for table, facts in database.tables.items():
                if facts.sync_type:
                    self.tree.database(name, DatabaseObject(sync_type=facts.sync_type, tables={table: facts}))
                elif problem := name_problem(table):
                    self.tree.problems.append(f"{shown(name)}: {problem}")
                else:
                    self._tables[TableName(name, table)] = self._with_home(name, database, facts)

    def _with_home(self, name: str, database: DatabaseObject, facts: TableObject) -> TableObject:
        """The name of a database, where it stands above single tables, is that of their schema."""
        if self._kafka or not database.name or facts.db_alias_name or facts.schema_alias_name:
            return facts
        return facts.model_copy(update={"db_alias_name": database.name})

    def _read_columns_home(self, columns: TableColumns) -> None:
        if columns.schema_name and columns.schema_name != columns.db_name:
            self.tree.problems.append(f"{shown(columns.schema_name)!r}: {NO_SCHEMAS}")
        if problem := name_problem(columns.db_name) or name_problem(columns.table_name):
            self.tree.problems.append(problem)
            return
        name = TableName(columns.db_name, columns.table_name)
        if not self._tables and not self._databases:
            self._tables[name] = TableObject()
        elif [*self._tables] != [name] or self._databases:
            self.tree.problems.append(f"db_object_column_info is about {name}, and db_object is not about it alone")

    def _demand_level(self) -> None:
        info = self._info
        level = info.process_rule_level and self._word("process_rule_level", info.process_rule_level, LEVELS)
        if not (self._tables or self._databases or self._everything or self.tree.joined or self.tree.problems):
            self.tree.problems.append("it names no table: db_object does")
        if self._databases and not info.is_batch_process:
            names = ", ".join(self._databases)
            self.tree.problems.append(f"{names}: a rule for all tables of a database wants is_batch_process")
        if len(self._tables) > 1 and not info.is_batch_process and level != "combinations":
            self.tree.problems.append(
                "it names several tables: set is_batch_process, or process_rule_level combinations"
            )

    # --- what is said ---

    def changes(self) -> Iterator[Change]:
        """One for all that is named, and one for each table or database of which more is said."""
        shared = Change(
            tables=tuple(self._tables),
            databases=tuple(self._databases),
            filter=self._filter(),
            columns=self._columns(),
            extras=self._extras(),
            dml=self._dml(self._info.dml_operation),
            prefix=self._around("prefix_name"),
            suffix=self._around("suffix_name"),
        )
        own = [*self._own_of_tables(shared), *self._own_of_databases(shared)]
        said = replace(shared, tables=(), databases=()) != Change()
        if self._everything and said:
            self.tree.problems.append("the scope all names no database: name each")
        if said:
            rule = TableRule(columns=shared.columns or {}, extras=shared.extras or ())
            self.tree.problems += problems_of(rule, kafka=self._kafka)
            yield shared
        elif not own and not self.tree.joined and self._info.ddl_operation is None and not self.tree.problems:
            self.tree.problems.append("nothing is to be changed")
        yield from own

    def _filter(self) -> str | None:
        conditions = self._info.filter_conditions
        if conditions is None:
            return None
        texts = []
        for condition in conditions:
            kind = self._word("filtering_type", condition.filtering_type, (CONTENT, CONFIG))
            if kind == CONTENT:
                texts.append(condition.value or "")
            elif kind == CONFIG and not self.tree.joined:
                self.tree.problems.append(f"{CONFIG}: db_object names no table with sync_type config")
        if not texts and conditions:
            return None
        return self.tree.one_condition("filter_conditions", texts)

    def _columns(self) -> dict[str, str | None] | None:
        info = self._info.db_object_column_info
        if info is None:
            return None
        found: dict[str, str | None] = {}
        for column in info.column_infos or ():
            refuse_partition_keys(column.is_partition_key)
            if column.column_name.lower() in {name.lower() for name in found}:
                self.tree.problems.append(f"the column {shown(column.column_name)} is there more than once")
                continue
            self.tree.problems += name_problems(info.table_name, column.column_name, column.column_mapped_name)
            found[column.column_name] = named_as(column.column_name, column.column_mapped_name, column.is_filtered)
        return found

    def _extras(self) -> tuple[ExtraColumn, ...] | None:
        if self._info.add_columns is None:
            return None
        found = []
        for column in self._info.add_columns:
            if problem := name_problem(column.column_name, what="column"):
                self.tree.problems.append(problem)
            extra = self.tree.extra_column(
                shown(column.column_name),
                column.column_name,
                next((kind for kind in EXTRA_KINDS if kind == column.column_type.lower()), column.column_type),
                (column.data_type or "").replace(" ", "").lower(),
                column.column_value or "",
            )
            if extra is not None:
                found.append(extra)
        return tuple(found)

    def _dml(self, letters: str | None) -> Any:
        return None if letters is None else self.tree.letters("dml_operation", letters)

    def _around(self, side: str) -> str:
        rule = self._info.db_or_table_rename_rule
        if rule is None:
            return ""
        if side == "prefix_name":
            self._word("db_or_table_rename_rule.type", rule.type, (AROUND,))
        if side == "prefix_name" and self._tables and self._databases:
            self.tree.problems.append("db_or_table_rename_rule is about databases, or about tables")
        if side == "prefix_name" and not (rule.prefix_name or rule.suffix_name):
            self.tree.problems.append("db_or_table_rename_rule has neither prefix_name nor suffix_name")
        return getattr(rule, side) or ""

    def _own_of_tables(self, shared: Change) -> Iterator[Change]:
        for name, facts in self._tables.items():
            place = str(name)
            rule = self.tree.rule(name, place, facts)
            aliases = facts.db_alias_name or facts.schema_alias_name
            filtered = facts.filter_conditions is not None or facts.filtered is not None
            own = Change(
                tables=(name,),
                filter=rule.filter if filtered else None,
                columns=rule.columns if facts.columns is not None else None,
                extras=rule.extras if facts.columns is not None else None,
                dml=self._dml(facts.dml),
                schema=aliases if aliases and not self._kafka else None,
                table=facts.name or None,
            )
            twice = [part for part in ("filter", "columns", "extras", "dml") if _both(own, shared, part)]
            if own.table is not None and (shared.prefix or shared.suffix):
                own = replace(own, table=None)  # the name that stands there is the one that it has
            self.tree.problems += [f"{place}: its {part} stands in db_object and beside it" for part in twice]
            if replace(own, tables=()) != Change():
                yield own

    def _own_of_databases(self, shared: Change) -> Iterator[Change]:
        for name, facts in self._databases.items():
            if facts.name and not (shared.prefix or shared.suffix):
                yield Change(databases=(name,), home=facts.name)

    # --- schema changes ---

    def tell_ddl(self, found: Asked) -> None:
        choice = self._info.ddl_operation
        if choice is None:
            return
        if found.ddl is not None and found.ddl != choice:
            self.tree.problems.append(
                "ddl_operation is not the same everywhere, and a job has one for all of its tables"
            )
        found.ddl = choice
        found.ddl_tables |= {*self._tables}
        found.ddl_databases |= {*self._databases}
        found.whole |= self._everything


def _both(one: Change, other: Change, part: str) -> bool:
    return getattr(one, part) is not None and getattr(other, part) is not None


def filters_of(changes: Changes) -> Sequence[Change]:
    """Those that say which rows are wanted. Raises PARAMETER_EMPTY."""
    found = [change for change in changes.each if change.filter]
    if not found and not changes.joined:
        raise DrsError(Fault.PARAMETER_EMPTY, name=f"{PLACE}.filter_conditions")
    return found
