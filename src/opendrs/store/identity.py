"""Who may call the API: users with a password or an access key, their project, and the tokens they were given.

Of passwords and tokens the store holds only what tells whether one is right. A secret key is kept sealed, for to
check a signature it must be known.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import string
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Select, delete, func, insert, literal, select, update

from opendrs.model.caller import Caller, Shown, Wanted
from opendrs.model.endpoint import Secret
from opendrs.store.database import Store
from opendrs.store.sealing import Seal
from opendrs.store.tables import access_keys, projects, tokens, users
from opendrs.store.upsert import upsert

TOKEN_LIFE: Final = timedelta(hours=24)
DOMAIN: Final = "default"
PROJECT_NAME: Final = "default"
USER_NAME: Final = "admin"
# The first identity is found by this id, so that the environment may give it another name.
FIRST_USER_ID: Final = "0" * 31 + "1"

# scrypt: 2^15 x 1 KiB of memory, three rounds, about a fifth of a second (OWASP Password Storage Cheat Sheet).
_COST: Final = (15, 8, 3)
_SCRYPT: Final = "scrypt"
_SALT_BYTES: Final = 16
_HASH_BYTES: Final = 32
_PASSWORD_BYTES_MAX: Final = 4096
_TOKEN_BYTES: Final = 32
_UPPER: Final = string.ascii_uppercase + string.digits
_ALL: Final = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Login:
    """What is needed to see whether a password is that of a user: `matches`, then `issue_token`."""

    caller: Caller
    password_hash: str = field(repr=False)


# --- passwords


def hash_password(password: str) -> str:
    """`scrypt$<log2 n>$<r>$<p>$<salt>$<hash>`: with its parameters, so that they may be raised one day."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return _hash_text(salt, _scrypt(password, salt, *_COST))


def matches(login: Login | None, password: str) -> bool:
    """Whether it is the password. Takes as long, and as much memory, for a user who does not exist."""
    # Nobody has a password of this hash: it is no result of anything.
    unknown = _hash_text(secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_HASH_BYTES))
    found = _right(unknown if login is None else login.password_hash, password)
    return found and login is not None


def _right(stored: str, password: str) -> bool:
    _, log_n, r, p, salt, digest = stored.split("$")
    # A longer one cannot have been set; it is not hashed in full, but it takes the same time.
    too_long = len(password.encode("utf-8", "surrogatepass")) > _PASSWORD_BYTES_MAX
    made = _scrypt("" if too_long else password, base64.b64decode(salt), int(log_n), int(r), int(p))
    return hmac.compare_digest(made, base64.b64decode(digest)) and not too_long


def _scrypt(password: str, salt: bytes, log_n: int, r: int, p: int) -> bytes:
    n = 1 << log_n
    memory = 128 * r * (n + p) + (1 << 20)  # RFC 7914, and some for OpenSSL
    raw = password.encode("utf-8", "surrogatepass")  # JSON can hold half a surrogate pair
    return hashlib.scrypt(raw, salt=salt, n=n, r=r, p=p, maxmem=memory, dklen=_HASH_BYTES)


def _hash_text(salt: bytes, digest: bytes) -> str:
    parts = (_SCRYPT, *_COST, base64.b64encode(salt).decode(), base64.b64encode(digest).decode())
    return "$".join(str(part) for part in parts)


# --- users and their tokens


def find_login(connection: Connection, name: str, domain: str = DOMAIN) -> Login | None:
    """A user by name."""
    row = connection.execute(_callers().where(users.c.name == name, users.c.domain == domain)).mappings().first()
    return None if row is None else Login(_caller(row), row["password"])


def find_login_by_id(connection: Connection, user_id: str) -> Login | None:
    """The same by id."""
    row = connection.execute(_callers().where(users.c.id == user_id)).mappings().first()
    return None if row is None else Login(_caller(row), row["password"])


def change_password(connection: Connection, user_id: str, password_hash: str) -> None:
    """Gives a user another password, as `hash_password` makes it. All tokens of the user end."""
    connection.execute(update(users).where(users.c.id == user_id).values(password=password_hash))
    connection.execute(delete(tokens).where(tokens.c.user_id == user_id))


def issue_token(connection: Connection, login: Login, now: datetime) -> tuple[Secret, datetime] | None:
    """A token for a user whose password was found right, and when it expires; expired ones are forgotten.

    None if the password was changed since `login` was read: it must be looked at again.
    """
    user_id = login.caller.user_id
    # Locked: whoever changes the password comes before or after this, and ends this token if after.
    stored = connection.execute(select(users.c.password).where(users.c.id == user_id).with_for_update()).scalar()
    if stored != login.password_hash:
        return None
    connection.execute(delete(tokens).where(tokens.c.expires_at <= now))
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    expires_at = now + TOKEN_LIFE
    row = {"digest": digest(token), "user_id": user_id, "issued_at": now, "expires_at": expires_at}
    connection.execute(insert(tokens).values(row))
    return Secret(token), expires_at


def caller_of_token(connection: Connection, token: str, now: datetime) -> tuple[Caller, datetime] | None:
    """Who was given it, and when it expires. None: nobody, or it has expired."""
    query = _callers(tokens.c.expires_at).join(tokens, tokens.c.user_id == users.c.id)
    query = query.where(tokens.c.digest == digest(token), tokens.c.expires_at > now)
    row = connection.execute(query).mappings().first()
    return None if row is None else (_caller(row), row["expires_at"])


def end_token(connection: Connection, token: str) -> None:
    """It is valid no longer."""
    connection.execute(delete(tokens).where(tokens.c.digest == digest(token)))


def digest(token: str) -> str:
    """What is kept of a token. It has 256 random bits, so a plain hash cannot be guessed back."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def key(connection: Connection, access_key: str) -> tuple[str, Caller] | None:
    """The secret key of an access key, sealed about `about_key(access_key)`, and whose it is."""
    query = _callers(access_keys.c.sealed).join(access_keys, access_keys.c.user_id == users.c.id)
    row = connection.execute(query.where(access_keys.c.id == access_key)).mappings().first()
    return None if row is None else (row["sealed"], _caller(row))


def about_key(access_key: str) -> str:
    """What the seal of a secret key is about."""
    return f"access_key/{access_key}"


def _callers(*more: Any) -> Select[Any]:
    columns = (users, projects.c.name.label("project_name"), *more)
    return select(*columns).select_from(users).join(projects, projects.c.id == users.c.project_id)


def _caller(row: RowMapping) -> Caller:
    return Caller(
        user_id=row["id"],
        user_name=row["name"],
        domain=row["domain"],
        project_id=row["project_id"],
        project_name=row["project_name"],
    )


# --- the first identity


def ensure(store: Store, seal: Seal, wanted: Wanted) -> Shown | None:
    """Brings the first identity in line with what the environment says; what it does not say is generated the
    first time, and stays. Called at every start of the service; many processes may do so at once.

    A user who is renamed keeps its id; another password ends its tokens; another access key replaces the one there
    was. Another project is entered, and the jobs of the one before stay in that.

    Returns what was generated, for showing it once; None if nothing was.
    Raises SEAL_BROKEN if the store was begun with another key.
    """
    with store.write() as connection:
        if connection.dialect.name == "postgresql":
            # Held to the end of the transaction, as SQLite's writers are alone. The number is ours, by chance.
            connection.execute(select(func.pg_advisory_xact_lock(7203114459)))
        confirm(connection, seal)
        found = find_login_by_id(connection, FIRST_USER_ID)
        project_id = wanted.project_id or (found.caller.project_id if found else secrets.token_hex(16))
        _enter_project(connection, project_id)
        password = _ensure_user(connection, found, wanted, project_id)
        access_key, secret_key = _ensure_key(connection, seal, wanted)
        if password is None and secret_key is None:
            return None
        login = find_login_by_id(connection, FIRST_USER_ID)
        assert login is not None, "a user who was just written is not there"
        return Shown(caller=login.caller, access_key=access_key, password=password, secret_key=secret_key)


def confirm(connection: Connection, seal: Seal) -> None:
    """Raises SEAL_BROKEN unless the key is the one that the store was begun with. Access keys tell: the first
    identity always has one, and whoever seals anything else has passed here."""
    for row in connection.execute(select(access_keys.c.id, access_keys.c.sealed)):
        seal.open(row.sealed, about_key(row.id))


def _enter_project(connection: Connection, project_id: str) -> None:
    """There is a project of that id, and it is the one of the default name."""
    before = (projects.c.name == PROJECT_NAME, projects.c.id != project_id)
    name = literal(f"{PROJECT_NAME}-").concat(projects.c.id)
    connection.execute(update(projects).where(*before).values(name=name))
    upsert(connection, projects, {"id": project_id, "name": PROJECT_NAME})


def _ensure_user(connection: Connection, found: Login | None, wanted: Wanted, project_id: str) -> Secret | None:
    """Returns the password if it was generated."""
    if found is None:
        generated = None if wanted.password else Secret(_random(_ALL, 24))
        password = wanted.password or generated
        assert password is not None, "neither given nor generated"
        row = {
            "id": FIRST_USER_ID,
            "name": wanted.user_name or USER_NAME,
            "domain": DOMAIN,
            "password": hash_password(password.reveal()),
            "project_id": project_id,
        }
        connection.execute(insert(users).values(row))
        return generated
    caller = replace(found.caller, user_name=wanted.user_name or found.caller.user_name, project_id=project_id)
    if caller != found.caller:
        values = {"name": caller.user_name, "project_id": project_id}
        connection.execute(update(users).where(users.c.id == FIRST_USER_ID).values(values))
    if wanted.password and not matches(found, wanted.password.reveal()):
        change_password(connection, FIRST_USER_ID, hash_password(wanted.password.reveal()))
    return None


def _ensure_key(connection: Connection, seal: Seal, wanted: Wanted) -> tuple[str, Secret | None]:
    """Returns the access key, and the secret key if it was generated."""
    mine = access_keys.c.user_id == FIRST_USER_ID
    stored = connection.execute(select(access_keys.c.id, access_keys.c.sealed).where(mine)).all()
    if wanted.access_key is None or wanted.secret_key is None:
        if stored:
            return stored[0].id, None
        access_key, secret_key = _random(_UPPER, 20), Secret(_random(_ALL, 40))
        _put_key(connection, seal, access_key, secret_key)
        return access_key, secret_key
    access_key, secret_key = wanted.access_key, wanted.secret_key
    known = {row.id: seal.open(row.sealed, about_key(row.id)) for row in stored}
    if known != {access_key: secret_key.reveal()}:
        connection.execute(delete(access_keys).where(mine))
        _put_key(connection, seal, access_key, secret_key)
    return access_key, None


def _put_key(connection: Connection, seal: Seal, access_key: str, secret_key: Secret) -> None:
    sealed = seal.seal(secret_key.reveal(), about_key(access_key))
    connection.execute(insert(access_keys).values(id=access_key, user_id=FIRST_USER_ID, sealed=sealed))


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
