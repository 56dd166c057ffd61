"""Every named way to fail: code, HTTP status, message, hint, and whether trying again may help.

A Fault is a row of one table. It is raised as `DrsError`, and it can be a value: a precheck finding, an
item of a batch answer, the reason of a failed job. Messages name things (tables, settings, statements),
never a password, and never a row's value except its key.
"""

from __future__ import annotations

from enum import Enum
from typing import Literal, NamedTuple

Retry = Literal["never", "later", "network"]


class Spec(NamedTuple):
    """One fault.

    code    as the DRS API answers it
    status  HTTP status of that code
    text    message; the braces name the details that `DrsError` must be given
    hint    what the person can do
    retry   never: the same would fail again. later: a few automatic resumes may help.
            network: nobody answers; retried for as long as it lasts
    """

    code: str
    status: int
    text: str
    hint: str
    retry: Retry = "never"


class Fault(Enum):
    """The catalogue. Codes DRS.1005xxxx are OpenDRS's own, in the published shape."""

    # connections
    SOURCE_UNREACHABLE = Spec(
        "DRS.10050001",
        400,
        "The source {endpoint} cannot be reached: {reason}",
        "Check that the server runs, that host and port are right and that no firewall is between.",
        "network",
    )
    TARGET_UNREACHABLE = Spec(
        "DRS.10050002",
        400,
        "The target {endpoint} cannot be reached: {reason}",
        "Check that the server runs, that host and port are right and that no firewall is between.",
        "network",
    )
    ACCESS_DENIED = Spec(
        "DRS.KE0002",
        400,
        "{endpoint} refused the user name or password: {reason}",
        "Check user, password and the hosts the account may connect from.",
    )
    ENDPOINT_INVALID = Spec(
        "DRS.M00202",
        400,
        "The endpoint {endpoint} is not valid: {reason}",
        "Write it as mysql://user:password@host:port, postgresql://user:password@host:port/database or "
        "kafka://user:password@host:port/topic.",
    )
    PRIVILEGE_MISSING = Spec(
        "DRS.10050003",
        400,
        "The account of {endpoint} may not {what}: {reason}",
        "Grant the privilege; of a database, `opendrs check` prints the statement.",
    )
    # the log of the source
    LOG_PURGED = Spec(
        "DRS.10050010",
        400,
        "The source no longer has the log from {position} on: {reason}",
        "Keep the log longer, and load the tables again: the changes in between cannot be had any more.",
    )
    OTHER_SERVER = Spec(
        "DRS.10050011",
        400,
        "The source is not the server that this job began with: {reason}",
        "Point the job at the server it began with, or at a replica of it with GTID; else begin anew.",
    )
    AHEAD_OF_SOURCE = Spec(
        "DRS.10050012",
        400,
        "The target holds changes that the source does not have: {reason}",
        "The source lost transactions (a failover to a lagging replica, a restored backup). Compare, then begin anew.",
    )
    SERVER_ID_TAKEN = Spec(
        "DRS.10050013",
        400,
        "Another replica uses our server_id: {reason}",
        "Give the job a server_id that no replica of the source has.",
        "later",
    )
    LOG_CORRUPT = Spec(
        "DRS.10050014",
        400,
        "The log of the source cannot be read at {position}: {reason}",
        "Nothing was skipped. If the log is damaged at the source, load the tables again.",
        "later",
    )
    LOG_UNSUPPORTED = Spec(
        "DRS.10050015",
        400,
        "The log holds something that is not understood at {position}: {reason}",
        "Nothing was skipped. Report it with the version of the server.",
    )
    STATEMENT_LOGGED = Spec(
        "DRS.10050016",
        400,
        "A change of {table} was logged as a statement, not as rows, at {position}",
        "Set binlog_format=ROW for all sessions, then load the table again.",
    )
    SCHEMA_MISMATCH = Spec(
        "DRS.10050017",
        400,
        "The log and the known definition of {table} disagree at {position}: {reason}",
        "A change of the table's definition was not seen (sql_log_bin=0?). Load the table again.",
    )
    DDL_UNSUPPORTED = Spec(
        "DRS.10050018",
        400,
        "A change of the schema cannot be translated at {position}: {reason}. Statement: {statement}",
        "Make the same change on the target by hand and skip the statement, or leave the table out.",
    )
    DDL_REFUSED = Spec(
        "DRS.10050019",
        400,
        "The job carries no changes of the schema over, and cannot go on without this one at {position}: {statement}",
        "Let the job carry schema changes over and resume it: it goes on with this one.",
    )
    # where a job without a load begins
    TIME_BEFORE_LOG = Spec(
        "DRS.10050080",
        400,
        "The log of the source begins with {file} at {begin}, and {time} is before that",
        "Choose a later time, or load the tables as well: a task with a full phase.",
    )
    POSITION_INVALID = Spec(
        "DRS.10050081",
        400,
        "A job cannot begin at {position}: {reason}",
        "Choose a place in front of a transaction: collect_position_async, or `opendrs position`, finds that of a time.",
    )
    POSITION_AHEAD = Spec(
        "DRS.10050082",
        400,
        "The log of the source does not reach to {position}: {reason}",
        "Check that it was taken from this server, and written down whole.",
    )
    DEFINITION_CHANGED = Spec(
        "DRS.10050083",
        400,
        "The job is to begin before changes of {tables}, whose definitions of that time are not known any more. The "
        "last of them ends at {position}: {statement}",
        "Begin there or later, or leave the tables out, or load them: a task with a full phase.",
    )
    POSITION_NOT_COLLECTED = Spec(
        "DRS.10030014",
        400,
        "No position was asked for with the query {query_id}",
        "Call collect_position_async first, and use the id that it answers.",
    )
    # values and rows
    VALUE_UNREPRESENTABLE = Spec(
        "DRS.10050020",
        400,
        "{table}: a value cannot be carried over: {reason}",
        "Correct the row at the source (HEX() shows its bytes), or choose a policy for such values if there is one; "
        "`opendrs check` counts those of known kinds.",
    )
    CONFLICT = Spec(
        "DRS.10050021",
        400,
        "{table}: the target does not hold what the source changed: {reason}",
        "Somebody else wrote to the target. `opendrs proof` shows which tables differ.",
    )
    SOURCE_REFUSED = Spec(
        "DRS.10050022",
        400,
        "The source refused a statement: {reason}",
        "The message is the source's own; correct its cause and resume the job.",
        "later",
    )
    # the target
    TARGET_REFUSED = Spec(
        "DRS.10050030",
        400,
        "The target refused {what}: {reason}",
        "The message is the target's own; correct its cause and resume the job.",
        "later",
    )
    MESSAGE_TOO_LARGE = Spec(
        "DRS.10050031",
        400,
        "A row of {table} is too large for Kafka: {reason}",
        "Raise max.message.bytes of the topic (or message.max.bytes of the brokers) and resume the job.",
    )
    TOPIC_MISSING = Spec(
        "DRS.10050032",
        400,
        "The topic {topic} does not exist, and was not made: {reason}",
        "Create it, or let the account create topics (ACL operation CREATE), and resume the job.",
    )
    # callers
    SIGNATURE_INVALID = Spec(
        "APIGW.0301",
        401,
        "Incorrect IAM authentication information: {reason}",
        "Sign with the access key and secret key of `opendrs serve`, or send a token as X-Auth-Token.",
    )
    TOKEN_INVALID = Spec(
        "DRS.M00100",
        403,
        "Invalid token: it is unknown or has expired",
        "Get a new one with POST /v3/auth/tokens; a token is valid for 24 hours.",
    )
    PROJECT_INVALID = Spec(
        "DRS.M00261",
        403,
        "Invalid project ID: {reason}",
        "GET /v3/auth/projects lists the project that you may use.",
    )
    LOGIN_REFUSED = Spec(
        "APIGW.0301",
        401,
        "The user name or password is wrong",
        "Check user, domain and password.",
    )
    LOGIN_METHOD = Spec(
        "APIGW.0301",
        401,
        "One cannot log in with {method}",
        'The methods of auth.identity must be ["password"].',
    )
    LOGIN_MALFORMED = Spec(
        "DRS.M00202",
        400,
        "The request for a token is invalid: {reason}",
        "Send auth.identity.password.user with name, password and domain, and auth.scope.project.",
    )
    LOGINS_TOO_MANY = Spec(
        "APIGW.0308",
        429,
        "Too many logins at a time",
        "Try again in a moment; a token is valid for 24 hours and need not be asked for each time.",
        "later",
    )
    SEAL_BROKEN = Spec(
        "DRS.10050060",
        422,
        "{about} is sealed and does not open: {reason}",
        "Start with the OPENDRS_ENCRYPTION_KEY, or the file secret.key, that the store was begun with.",
    )
    # the job
    FENCED = Spec(
        "DRS.10050040",
        400,
        "A newer worker has taken over the job (epoch {epoch} is no longer valid)",
        "Nothing to do: the newer worker goes on.",
    )
    PRECHECK_FAILED = Spec(
        "DRS.10050041",
        400,
        "{count} precheck findings must be mended first: {names}",
        "`opendrs check` prints each with its remedy.",
    )
    JOB_DIFFERS = Spec(
        "DRS.10050042",
        400,
        "A job of that name exists with other settings: {reason}",
        "Give the new job another --state or another --name, or resume with the settings it began with.",
    )
    RESET_BLOCKED = Spec(
        "DRS.10050048",
        400,
        "The target has objects that depend on tables of the job, which is to begin anew: {names}",
        "They are not the job's, and are not dropped: drop them, or their foreign keys, and reset the job again.",
    )
    CHECKPOINT_MISSING = Spec(
        "DRS.10050033",
        400,
        "The target no longer knows the job, which stood at {position}",
        "If the target was restored or cleaned, reset the job: it loads everything anew. Nothing was changed.",
    )
    RESET_UNFINISHED = Spec(
        "DRS.10050049",
        400,
        "The job was reset, and that has not ended",
        "Resume the job: what is left of it is done first.",
        "later",
    )
    SETTING_INVALID = Spec("DRS.M00202", 400, "{name}: {reason}", "Correct the option; `--help` lists what is allowed.")
    # what was asked of the API
    PARAMETER_EMPTY = Spec("DRS.M00201", 400, "The parameter {name} is empty", "Give it a value.")
    PARAMETER_INVALID = Spec("DRS.M00202", 400, "The parameter {name} is invalid: {reason}", "Correct it.")
    PAGE_INVALID = Spec("DRS.M00210", 400, "The page is invalid: {reason}", "Correct limit or offset.")
    REQUEST_INVALID = Spec("DRS.M00300", 400, "The request is invalid: {reason}", "Correct the request.")
    CONTENT_TYPE = Spec("DRS.M00300", 415, "A body of type {found} is not understood", "Send it as application/json.")
    BODY_TOO_LARGE = Spec("APIGW.0201", 413, "The body has more than {most} bytes", "Send less at once.")
    API_UNKNOWN = Spec("APIGW.0101", 404, "There is no API {method} {path}", "GET /openapi.json lists what there is.")
    TOO_SLOW = Spec("DRS.M00004", 422, "The service could not answer in time: {reason}", "Try again.", "later")
    JOB_NOT_FOUND = Spec("DRS.10000010", 400, "The job {job_id} does not exist", "list_jobs shows those that do.")
    JOB_INFO_NOT_FOUND = Spec(
        "DRS.M05003", 400, "Information on the job {job_id} cannot be found", "list_jobs shows the jobs that exist."
    )
    NAME_EXISTS = Spec("DRS.M00277", 422, "A job with the name {name} exists", "Choose another name.")
    WRONG_STATE = Spec(
        "DRS.M00304",
        400,
        "{what} is not allowed while the job is in {state}: {reason}",
        "show_actions lists what is allowed now.",
    )
    QUERY_UNKNOWN = Spec(
        "DRS.M00303", 400, "Nothing is known of the query {query_id}", "Use the query_id that the action answered."
    )
    SAVE_UNKNOWN = Spec(
        "DRS.10030015", 400, "No saving of objects has the id {query_id}", "Use the query_id that update_job answered."
    )
    OBJECTS_NOT_COLLECTED = Spec(
        "DRS.10030014", 400, "The objects have not been collected yet", "Call collect_db_objects_async first."
    )
    FILTER_UNSUPPORTED = Spec(
        "DRS.10030015",
        400,
        "The filter of {table} cannot be used: {reason}",
        "A filter is what stands behind WHERE: columns of the table compared with constants (=, <>, <, <=, >, >=, "
        "BETWEEN, IN, LIKE, IS NULL, a whole number modulo another) or with each other, joined by AND, OR and NOT.",
    )
    OBJECTS_MISSING = Spec(
        "DRS.10030015",
        400,
        "The objects cannot be saved: {reason}",
        "Correct the selection; collect_db_objects_async reads what the source has.",
    )
    COLUMNS_UNREAD = Spec(
        "DRS.10030016",
        400,
        "The columns cannot be read: {reason}",
        "Name tables that the source has: collect_db_objects_async lists them.",
    )
    RULES_FIXED = Spec(
        "DRS.M00401",
        400,
        "What is said of {tables} cannot be changed: it is replicated so already",
        "Take the table out of the job, and add it again with what is to be said of it.",
    )
    RULE_EXISTS = Spec(
        "DRS.M07000", 400, "The rule of {tables} exists already", "Nothing to do: the job has it as it is."
    )
    # files of objects
    FILE_REFUSED = Spec(
        "DRS.M00202",
        400,
        "The file {file} cannot be taken: {reason}",
        "Fill in the template that download_db_object_template gives, and save it as the kind of file that it is.",
    )
    ROWS_WRONG = Spec(
        "DRS.10030015",
        400,
        "Nothing of the file {file} was taken, for {wrong}. The first: {first}",
        "Download the result of type detail (of keys: compare_key_detail): it has the reason beside each of them.",
    )
    RESULT_MISSING = Spec(
        "DRS.10030008",
        400,
        "Failed to download the file: {reason}",
        "Upload a file first, and wait until show_db_object_template_progress says that it has been read.",
    )
    PRECHECK_NEEDED = Spec(
        "DRS.10050050",
        400,
        "The prechecks must have passed at 100 % first: {reason}",
        "Run the action precheck, mend what has FAILED, and run it again.",
    )
    JOB_UNKNOWN = Spec(
        "DRS.10050046",
        400,
        "The state {state} knows no such job",
        "Give the endpoints, --tables, --map, --name and --state that `opendrs run` was given.",
    )
    NO_PROOF = Spec(
        "DRS.10050047",
        400,
        "No proof could be had: {reason}",
        "The job's log says more; try again when the job follows the source.",
        "later",
    )
    # the shell as a client of the service
    SERVICE_UNREACHABLE = Spec(
        "DRS.10050070",
        400,
        "The service {url} cannot be reached: {reason}",
        "Check the URL, and that `opendrs serve` runs there.",
        "network",
    )
    SERVICE_ODD = Spec(
        "DRS.10050071",
        400,
        "{url} does not answer as this service does: {reason}",
        "Check the URL: it is scheme, host and port of `opendrs serve`, without a path.",
    )
    NOT_LOGGED_IN = Spec(
        "DRS.10050072",
        400,
        "Nobody is logged in",
        "Run `opendrs login URL`, or set OPENDRS_URL, OPENDRS_ACCESS_KEY and OPENDRS_SECRET_KEY.",
    )
    LOGIN_EXPIRED = Spec(
        "DRS.10050073",
        400,
        "The login at {url} has expired, or was taken back",
        "Log in again: `opendrs login`.",
    )
    NAME_UNKNOWN = Spec(
        "DRS.10050074", 400, "There is no job {name}{similar}", "`opendrs job list` shows those that there are."
    )
    NAME_AMBIGUOUS = Spec(
        "DRS.10050075", 400, "{name} may be any of these jobs: {jobs}", "Give the whole name, or the id."
    )
    STEP_FAILED = Spec(
        "DRS.10050076", 400, "{what} failed: {reason}", "`opendrs job logs` says more; the job itself is kept."
    )
    NOT_IN_TIME = Spec(
        "DRS.10050077",
        400,
        "{what} is not over after {seconds} s",
        "It goes on in the service: `opendrs job show` tells how it stands.",
        "later",
    )
    UNSUPPORTED = Spec("DRS.10050044", 400, "{what} is not supported yet", "README lists what is.")
    WORKER_CRASHED = Spec(
        "DRS.10050045",
        400,
        "The worker ended unexpectedly: {reason}",
        "It is restarted by itself; the job's log has the details.",
        "later",
    )
    INTERNAL = Spec(
        "DRS.M01501",
        422,
        "Something went wrong inside OpenDRS: {reason}",
        "Report it with the job's log; nothing is lost, the job resumes from its checkpoint.",
        "later",
    )

    @property
    def spec(self) -> Spec:
        return self.value


class DrsError(Exception):
    """A Fault that happened, with its details. `str()` is message and hint, fit for a person."""

    def __init__(self, fault: Fault, **details: object) -> None:
        self.fault = fault
        self.details = {name: str(value) for name, value in details.items()}
        self.message = fault.spec.text.format(**self.details)
        super().__init__(self.message)

    @property
    def code(self) -> str:
        return self.fault.spec.code

    @property
    def hint(self) -> str:
        return self.fault.spec.hint

    @property
    def retry(self) -> Retry:
        return self.fault.spec.retry

    def __str__(self) -> str:
        return f"{self.code} {self.message}. {self.hint}"
