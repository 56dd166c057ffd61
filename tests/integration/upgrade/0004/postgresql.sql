CREATE SCHEMA opendrs_state;
CREATE TABLE opendrs_state.access_keys (
    id character varying(128) NOT NULL,
    user_id character varying(32) NOT NULL,
    sealed text NOT NULL
);
CREATE TABLE opendrs_state.actions (
    id character varying(36) NOT NULL,
    job_id character varying(64) NOT NULL,
    kind character varying(32) NOT NULL,
    user_name text NOT NULL,
    status character varying(16) NOT NULL,
    params jsonb NOT NULL,
    sealed text,
    revision bigint NOT NULL,
    result jsonb,
    failure jsonb,
    runner jsonb,
    attempts integer DEFAULT 0 NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone
);
CREATE TABLE opendrs_state.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE opendrs_state.checkpoints (
    job_id character varying(64) NOT NULL,
    epoch bigint NOT NULL,
    phase character varying(32) NOT NULL,
    "position" text,
    saved_at timestamp with time zone NOT NULL
);
CREATE TABLE opendrs_state.commands (
    id bigint NOT NULL,
    job_id character varying(64) NOT NULL,
    name character varying(32) NOT NULL,
    asked_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE opendrs_state.commands_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE opendrs_state.commands_id_seq OWNED BY opendrs_state.commands.id;
CREATE TABLE opendrs_state.compare_keys (
    job_id character varying(64) NOT NULL,
    schema_name character varying(255) NOT NULL,
    table_name character varying(255) NOT NULL,
    columns jsonb NOT NULL
);
CREATE TABLE opendrs_state.ddls (
    job_id character varying(64) NOT NULL,
    seqno bigint NOT NULL,
    digest character varying(64) NOT NULL,
    before text NOT NULL,
    durable boolean NOT NULL,
    point text NOT NULL,
    statement text NOT NULL,
    at timestamp with time zone,
    outcome character varying(16) NOT NULL,
    reason text NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    cleaned_at timestamp with time zone
);
CREATE TABLE opendrs_state.dirty_counts (
    job_id character varying(64) NOT NULL,
    phase character varying(16) NOT NULL,
    resolved character varying(16) NOT NULL,
    rows bigint NOT NULL
);
CREATE TABLE opendrs_state.dirty_rows (
    id bigint NOT NULL,
    job_id character varying(64) NOT NULL,
    digest character varying(64) NOT NULL,
    phase character varying(16) NOT NULL,
    schema_name character varying(255) NOT NULL,
    table_name character varying(255) NOT NULL,
    op character varying(16) NOT NULL,
    kind character varying(16) NOT NULL,
    resolved character varying(16) NOT NULL,
    reason text NOT NULL,
    statement text NOT NULL,
    at timestamp with time zone NOT NULL
);
CREATE SEQUENCE opendrs_state.dirty_rows_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE opendrs_state.dirty_rows_id_seq OWNED BY opendrs_state.dirty_rows.id;
CREATE TABLE opendrs_state.events (
    id bigint NOT NULL,
    job_id character varying(64) NOT NULL,
    at timestamp with time zone NOT NULL,
    level character varying(16) NOT NULL,
    name character varying(64) NOT NULL,
    message text NOT NULL,
    fields jsonb NOT NULL
);
CREATE SEQUENCE opendrs_state.events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE opendrs_state.events_id_seq OWNED BY opendrs_state.events.id;
CREATE TABLE opendrs_state.jobs (
    id character varying(64) NOT NULL,
    name text NOT NULL,
    source text NOT NULL,
    target text NOT NULL,
    task character varying(32) NOT NULL,
    selection jsonb NOT NULL,
    policy jsonb NOT NULL,
    state character varying(40) NOT NULL,
    failure jsonb,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    intent character varying(16) DEFAULT 'rest'::character varying NOT NULL,
    revision bigint DEFAULT '0'::bigint NOT NULL,
    project_id character varying(64),
    name_key text,
    description text,
    job_type character varying(32),
    engine_type character varying(64),
    job_direction character varying(16),
    net_type character varying(16),
    places text,
    facts jsonb,
    starts_at timestamp with time zone
);
CREATE TABLE opendrs_state.leases (
    job_id character varying(64) NOT NULL,
    epoch bigint NOT NULL,
    owner character varying(16) NOT NULL,
    pid bigint NOT NULL,
    started_at double precision NOT NULL,
    host text NOT NULL,
    renewed_at timestamp with time zone NOT NULL,
    settings jsonb NOT NULL,
    outcome jsonb
);
CREATE TABLE opendrs_state.parameter_changes (
    id bigint NOT NULL,
    job_id character varying(64) NOT NULL,
    name character varying(64) NOT NULL,
    old_value text NOT NULL,
    new_value text NOT NULL,
    user_name text NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    in_policy boolean NOT NULL,
    applied_at timestamp with time zone
);
CREATE SEQUENCE opendrs_state.parameter_changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE opendrs_state.parameter_changes_id_seq OWNED BY opendrs_state.parameter_changes.id;
CREATE TABLE opendrs_state.progress (
    job_id character varying(64) NOT NULL,
    counters jsonb NOT NULL,
    updated_at timestamp with time zone NOT NULL
);
CREATE TABLE opendrs_state.projects (
    id character varying(64) NOT NULL,
    name text NOT NULL
);
CREATE TABLE opendrs_state.proofs (
    job_id character varying(64) NOT NULL,
    schema_name character varying(255) NOT NULL,
    table_name character varying(255) NOT NULL,
    verdict character varying(16) NOT NULL,
    source_rows bigint,
    target_rows bigint,
    source_checksum text,
    target_checksum text,
    "position" text,
    reason text NOT NULL,
    seconds double precision NOT NULL,
    taken_at timestamp with time zone NOT NULL
);
CREATE TABLE opendrs_state.secrets (
    job_id character varying(64) NOT NULL,
    name character varying(32) NOT NULL,
    sealed text NOT NULL
);
CREATE TABLE opendrs_state.speed_limits (
    job_id character varying(64) NOT NULL,
    windows jsonb NOT NULL,
    changed_at timestamp with time zone NOT NULL
);
CREATE TABLE opendrs_state.table_progress (
    job_id character varying(64) NOT NULL,
    schema_name character varying(255) NOT NULL,
    table_name character varying(255) NOT NULL,
    rows bigint NOT NULL,
    bytes bigint NOT NULL,
    rows_estimate bigint NOT NULL,
    bytes_estimate bigint NOT NULL,
    state character varying(16) NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    scanned bigint DEFAULT '0'::bigint NOT NULL,
    indexes integer DEFAULT 0 NOT NULL,
    indexes_made integer DEFAULT 0 NOT NULL
);
CREATE TABLE opendrs_state.tokens (
    digest character varying(64) NOT NULL,
    user_id character varying(32) NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL
);
CREATE TABLE opendrs_state.users (
    id character varying(32) NOT NULL,
    name text NOT NULL,
    domain text NOT NULL,
    password text NOT NULL,
    project_id character varying(64) NOT NULL
);
CREATE TABLE opendrs_state.view_progress (
    job_id character varying(64) NOT NULL,
    schema_name character varying(255) NOT NULL,
    view_name character varying(255) NOT NULL,
    made boolean NOT NULL,
    reason text NOT NULL,
    updated_at timestamp with time zone NOT NULL
);
ALTER TABLE ONLY opendrs_state.commands ALTER COLUMN id SET DEFAULT nextval('opendrs_state.commands_id_seq'::regclass);
ALTER TABLE ONLY opendrs_state.dirty_rows ALTER COLUMN id SET DEFAULT nextval('opendrs_state.dirty_rows_id_seq'::regclass);
ALTER TABLE ONLY opendrs_state.events ALTER COLUMN id SET DEFAULT nextval('opendrs_state.events_id_seq'::regclass);
ALTER TABLE ONLY opendrs_state.parameter_changes ALTER COLUMN id SET DEFAULT nextval('opendrs_state.parameter_changes_id_seq'::regclass);
INSERT INTO opendrs_state.access_keys VALUES ('ACCESSKEY', '00000000000000000000000000000001', 'v1.sealed');
INSERT INTO opendrs_state.actions VALUES ('52837f84-4444-492b-9ee3-da490a7bfc2d', '01234567-89ab-cdef-0123-456789ajb20p', 'create', 'admin', 'success', '{}', NULL, 0, NULL, NULL, NULL, 0, '2026-11-30 11:35:58.403643+00', '2026-11-30 11:35:58.403643+00');
INSERT INTO opendrs_state.actions VALUES ('412bad0e-b784-4f1c-813b-4ec03569d0e7', '01234567-89ab-cdef-0123-456789ajb20p', 'precheck', 'admin', 'success', '{}', NULL, 1, '{"passed": true, "findings": []}', NULL, NULL, 1, '2026-11-30 11:35:58.442213+00', '2026-11-30 11:35:58.509093+00');
INSERT INTO opendrs_state.alembic_version VALUES ('0004');
INSERT INTO opendrs_state.checkpoints VALUES ('0123456789abcdef0123456789abcdef', 5, 'following', '{"version": 1}', '2026-11-30 11:35:58.704928+00');
INSERT INTO opendrs_state.commands VALUES (1, '0123456789abcdef0123456789abcdef', 'proof', '2026-11-30 11:35:58.746633+00');
INSERT INTO opendrs_state.compare_keys VALUES ('01234567-89ab-cdef-0123-456789ajb20p', 'shop', 'orders', '["region", "number"]');
INSERT INTO opendrs_state.ddls VALUES ('0123456789abcdef0123456789abcdef', 1, '149922c39b6dae2441be4ac03efbe75a08afa367a337c785e0671146ad22594d', '{"version": 1}', false, 'binlog.000003:4711', 'ALTER TABLE shop.orders DROP INDEX i', '2026-11-23 12:30:45.678901+00', 'left_out', 'drop_index', '2026-11-30 11:35:58.853095+00', NULL);
INSERT INTO opendrs_state.dirty_counts VALUES ('0123456789abcdef0123456789abcdef', 'incremental', 'ignored', 1);
INSERT INTO opendrs_state.dirty_rows VALUES (1, '0123456789abcdef0123456789abcdef', 'da4439580f0ed5096d348e3e176c499daf8e0b3168f31124d69a10ed7e6c1289', 'incremental', 'shop', 'orders', 'update', 'conflict', 'ignored', 'the row is not there', 'UPDATE shop.orders SET v = ''Ünïcødé'' WHERE id = 1', '2026-11-23 12:30:45.678901+00');
INSERT INTO opendrs_state.events VALUES (1, '0123456789abcdef0123456789abcdef', '2026-11-23 12:30:45.678901+00', 'info', 'network.lost', 'gone', '{"n": 1}');
INSERT INTO opendrs_state.jobs VALUES ('01234567-89ab-cdef-0123-456789ajb20p', 'Nightly-2', 'mysql://anna@source.example:3306/shop', 'postgresql://ben@target.example:5432/ware?tls=disable', 'full+incremental', '{"schemas": {"shop": "store"}, "version": 1, "patterns": ["shop.*", "logs.a?"]}', '{"ddl": "carry", "apply": "merged", "start": null, "indexes": "all", "readers": 4, "version": 6, "topology": "one2one", "server_id": 77, "batch_rows": 16384, "chunk_rows": 200000, "consistent": false, "publishing": {"topic": "", "format": "json", "delivery": "exactly-once", "ddl_topic": "", "partitions": 1, "compression": "lz4", "topic_policy": 1, "checkpoint_topic": "", "partition_policy": 0, "topic_name_format": "", "transaction_bytes": 1073741824, "replication_factor": 1}, "batch_bytes": 2097152, "nul_in_text": "stop", "skipped_ddl": ["drop_table"], "spool_bytes": 10737418240, "invalid_dates": "null"}', 'PAUSING', NULL, '2026-11-30 11:35:58.353884+00', '2026-11-30 11:35:58.385647+00', 'rest', 1, '0123456789abcdef0123456789abcdef', 'nightly-2', 'every night', 'sync', 'mysql-to-pgl', 'up', 'vpc', ' source.example target.example ', '{"base_info": {"expired_days": "14"}, "source_endpoint": {"db_type": "mysql"}}', NULL);
INSERT INTO opendrs_state.jobs VALUES ('0123456789abcdef0123456789abcdef', 'nightly', 'mysql://anna@source.example:3306/shop', 'postgresql://ben@target.example:5432/ware?tls=disable', 'full+incremental', '{"schemas": {"shop": "store"}, "version": 1, "patterns": ["shop.*", "logs.a?"]}', '{"ddl": "carry", "apply": "merged", "start": null, "indexes": "all", "readers": 4, "version": 6, "topology": "one2one", "server_id": 77, "batch_rows": 16384, "chunk_rows": 200000, "consistent": false, "publishing": {"topic": "", "format": "json", "delivery": "exactly-once", "ddl_topic": "", "partitions": 1, "compression": "lz4", "topic_policy": 1, "checkpoint_topic": "", "partition_policy": 0, "topic_name_format": "", "transaction_bytes": 1073741824, "replication_factor": 1}, "batch_bytes": 2097152, "nul_in_text": "stop", "skipped_ddl": ["drop_table"], "spool_bytes": 10737418240, "invalid_dates": "null"}', 'INCRE_TRANSFER_FAILED', '{"code": "DRS.10050010", "hint": "Keep the log longer, and load the tables again: the changes in between cannot be had any more.", "fault": "LOG_PURGED", "message": "The source no longer has the log from binlog.000003:4 on: it was purged — “Ünïcødé”"}', '2026-11-30 11:35:58.589041+00', '2026-11-30 11:35:58.689741+00', 'rest', 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO opendrs_state.leases VALUES ('0123456789abcdef0123456789abcdef', 5, 'worker', 4711, 1795000000.25, 'there/1234abcd/pid:[1]', '2026-11-30 11:35:58.649108+00', '{"task": "full+incremental", "version": 1}', '{"exit": "FAILED", "newer": 0, "phase": "following", "version": 1}');
INSERT INTO opendrs_state.parameter_changes VALUES (1, '01234567-89ab-cdef-0123-456789ajb20p', 'read_task_num', '4', '6', 'admin', '2026-11-30 11:35:58.521714+00', false, NULL);
INSERT INTO opendrs_state.progress VALUES ('0123456789abcdef0123456789abcdef', '{"metrics": {"apply_latency": null}, "version": 1}', '2026-11-30 11:35:58.716823+00');
INSERT INTO opendrs_state.projects VALUES ('0123456789abcdef0123456789abcdef', 'default');
INSERT INTO opendrs_state.proofs VALUES ('0123456789abcdef0123456789abcdef', 'shop', 'orders', 'equal', 3, 3, 'abababababababababababababababab', 'abababababababababababababababab', '{"version": 1}', '', 1.25, '2026-11-23 12:30:45.678901+00');
INSERT INTO opendrs_state.secrets VALUES ('01234567-89ab-cdef-0123-456789ajb20p', 'source_password', 'v1.sealed');
INSERT INTO opendrs_state.speed_limits VALUES ('01234567-89ab-cdef-0123-456789ajb20p', '[{"end": 5, "utc": false, "begin": 22, "megabytes": 9999}]', '2026-11-30 11:35:58.545519+00');
INSERT INTO opendrs_state.table_progress VALUES ('0123456789abcdef0123456789abcdef', 'shop', 'orders', 1099511627776, 1125899906842624, 9, 99, 'loaded', '2026-11-30 11:35:58.728617+00', 1099511627776, 0, 0);
INSERT INTO opendrs_state.tokens VALUES ('ed1d7eaf9a57c7885903983a5050850cb0b82c0a7e63bab36af983012716b275', '00000000000000000000000000000001', '2026-11-23 12:30:45.678901+00', '2026-11-24 12:30:45.678901+00');
INSERT INTO opendrs_state.users VALUES ('00000000000000000000000000000001', 'admin', 'default', 'scrypt$15$8$3$f4mT8RjQ+iFA86gH1C6xOA==$BCNK3zcI5hB+EAL0aGPe96b+oZ45p1QMBl4zJEJGLLI=', '0123456789abcdef0123456789abcdef');
INSERT INTO opendrs_state.view_progress VALUES ('0123456789abcdef0123456789abcdef', 'shop', 'newest', false, 'it does not translate', '2026-11-30 11:35:58.868844+00');
SELECT pg_catalog.setval('opendrs_state.commands_id_seq', 1, true);
SELECT pg_catalog.setval('opendrs_state.dirty_rows_id_seq', 1, true);
SELECT pg_catalog.setval('opendrs_state.events_id_seq', 1, true);
SELECT pg_catalog.setval('opendrs_state.parameter_changes_id_seq', 1, true);
ALTER TABLE ONLY opendrs_state.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY opendrs_state.access_keys
    ADD CONSTRAINT pk_access_keys PRIMARY KEY (id);
ALTER TABLE ONLY opendrs_state.actions
    ADD CONSTRAINT pk_actions PRIMARY KEY (id);
ALTER TABLE ONLY opendrs_state.checkpoints
    ADD CONSTRAINT pk_checkpoints PRIMARY KEY (job_id);
ALTER TABLE ONLY opendrs_state.commands
    ADD CONSTRAINT pk_commands PRIMARY KEY (id);
ALTER TABLE ONLY opendrs_state.compare_keys
    ADD CONSTRAINT pk_compare_keys PRIMARY KEY (job_id, schema_name, table_name);
ALTER TABLE ONLY opendrs_state.ddls
    ADD CONSTRAINT pk_ddls PRIMARY KEY (job_id, seqno);
ALTER TABLE ONLY opendrs_state.dirty_counts
    ADD CONSTRAINT pk_dirty_counts PRIMARY KEY (job_id, phase, resolved);
ALTER TABLE ONLY opendrs_state.dirty_rows
    ADD CONSTRAINT pk_dirty_rows PRIMARY KEY (id);
ALTER TABLE ONLY opendrs_state.events
    ADD CONSTRAINT pk_events PRIMARY KEY (id);
ALTER TABLE ONLY opendrs_state.jobs
    ADD CONSTRAINT pk_jobs PRIMARY KEY (id);
ALTER TABLE ONLY opendrs_state.leases
    ADD CONSTRAINT pk_leases PRIMARY KEY (job_id);
ALTER TABLE ONLY opendrs_state.parameter_changes
    ADD CONSTRAINT pk_parameter_changes PRIMARY KEY (id);
ALTER TABLE ONLY opendrs_state.progress
    ADD CONSTRAINT pk_progress PRIMARY KEY (job_id);
ALTER TABLE ONLY opendrs_state.projects
    ADD CONSTRAINT pk_projects PRIMARY KEY (id);
ALTER TABLE ONLY opendrs_state.proofs
    ADD CONSTRAINT pk_proofs PRIMARY KEY (job_id, schema_name, table_name);
ALTER TABLE ONLY opendrs_state.secrets
    ADD CONSTRAINT pk_secrets PRIMARY KEY (job_id, name);
ALTER TABLE ONLY opendrs_state.speed_limits
    ADD CONSTRAINT pk_speed_limits PRIMARY KEY (job_id);
ALTER TABLE ONLY opendrs_state.table_progress
    ADD CONSTRAINT pk_table_progress PRIMARY KEY (job_id, schema_name, table_name);
ALTER TABLE ONLY opendrs_state.tokens
    ADD CONSTRAINT pk_tokens PRIMARY KEY (digest);
ALTER TABLE ONLY opendrs_state.users
    ADD CONSTRAINT pk_users PRIMARY KEY (id);
ALTER TABLE ONLY opendrs_state.view_progress
    ADD CONSTRAINT pk_view_progress PRIMARY KEY (job_id, schema_name, view_name);
ALTER TABLE ONLY opendrs_state.projects
    ADD CONSTRAINT uq_projects_name UNIQUE (name);
ALTER TABLE ONLY opendrs_state.users
    ADD CONSTRAINT uq_users_domain_name UNIQUE (domain, name);
CREATE INDEX ix_actions_job_id_asked_at ON opendrs_state.actions USING btree (job_id, asked_at);
CREATE INDEX ix_actions_status_asked_at ON opendrs_state.actions USING btree (status, asked_at);
CREATE INDEX ix_commands_job_id_id ON opendrs_state.commands USING btree (job_id, id);
CREATE INDEX ix_dirty_rows_job_id_phase_id ON opendrs_state.dirty_rows USING btree (job_id, phase, id);
CREATE INDEX ix_events_job_id_id ON opendrs_state.events USING btree (job_id, id);
CREATE INDEX ix_jobs_intent ON opendrs_state.jobs USING btree (intent);
CREATE INDEX ix_jobs_listed ON opendrs_state.jobs USING btree (project_id, job_type, created_at, id, name_key);
CREATE INDEX ix_parameter_changes_job_id_id ON opendrs_state.parameter_changes USING btree (job_id, id);
CREATE INDEX ix_tokens_expires_at ON opendrs_state.tokens USING btree (expires_at);
CREATE UNIQUE INDEX uq_ddls_job_id_digest ON opendrs_state.ddls USING btree (job_id, digest);
CREATE UNIQUE INDEX uq_dirty_rows_job_id_digest ON opendrs_state.dirty_rows USING btree (job_id, digest);
CREATE UNIQUE INDEX uq_jobs_project_id_name_key ON opendrs_state.jobs USING btree (project_id, name_key);
ALTER TABLE ONLY opendrs_state.access_keys
    ADD CONSTRAINT fk_access_keys_user_id FOREIGN KEY (user_id) REFERENCES opendrs_state.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.actions
    ADD CONSTRAINT fk_actions_job_id FOREIGN KEY (job_id) REFERENCES opendrs_state.jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.checkpoints
    ADD CONSTRAINT fk_checkpoints_job_id FOREIGN KEY (job_id) REFERENCES opendrs_state.jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.commands
    ADD CONSTRAINT fk_commands_job_id FOREIGN KEY (job_id) REFERENCES opendrs_state.jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.compare_keys
    ADD CONSTRAINT fk_compare_keys_job_id FOREIGN KEY (job_id) REFERENCES opendrs_state.jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.ddls
    ADD CONSTRAINT fk_ddls_job_id FOREIGN KEY (job_id) REFERENCES opendrs_state.jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.dirty_counts
    ADD CONSTRAINT fk_dirty_counts_job_id FOREIGN KEY (job_id) REFERENCES opendrs_state.jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.dirty_rows
    ADD CONSTRAINT fk_dirty_rows_job_id FOREIGN KEY (job_id) REFERENCES opendrs_state.jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.events
    ADD CONSTRAINT fk_events_job_id FOREIGN KEY (job_id) REFERENCES opendrs_state.jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.leases
    ADD CONSTRAINT fk_leases_job_id FOREIGN KEY (job_id) REFERENCES opendrs_state.jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.parameter_changes
    ADD CONSTRAINT fk_parameter_changes_job_id FOREIGN KEY (job_id) REFERENCES opendrs_state.jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.progress
    ADD CONSTRAINT fk_progress_job_id FOREIGN KEY (job_id) REFERENCES opendrs_state.jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.proofs
    ADD CONSTRAINT fk_proofs_job_id FOREIGN KEY (job_id) REFERENCES opendrs_state.jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.secrets
    ADD CONSTRAINT fk_secrets_job_id FOREIGN KEY (job_id) REFERENCES opendrs_state.jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.speed_limits
    ADD CONSTRAINT fk_speed_limits_job_id FOREIGN KEY (job_id) REFERENCES opendrs_state.jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.table_progress
    ADD CONSTRAINT fk_table_progress_job_id FOREIGN KEY (job_id) REFERENCES opendrs_state.jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.tokens
    ADD CONSTRAINT fk_tokens_user_id FOREIGN KEY (user_id) REFERENCES opendrs_state.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.users
    ADD CONSTRAINT fk_users_project_id FOREIGN KEY (project_id) REFERENCES opendrs_state.projects(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.view_progress
    ADD CONSTRAINT fk_view_progress_job_id FOREIGN KEY (job_id) REFERENCES opendrs_state.jobs(id) ON DELETE CASCADE;
