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
CREATE TABLE opendrs_state.table_progress (
    job_id character varying(64) NOT NULL,
    schema_name character varying(255) NOT NULL,
    table_name character varying(255) NOT NULL,
    rows bigint NOT NULL,
    bytes bigint NOT NULL,
    rows_estimate bigint NOT NULL,
    bytes_estimate bigint NOT NULL,
    state character varying(16) NOT NULL,
    updated_at timestamp with time zone NOT NULL
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
ALTER TABLE ONLY opendrs_state.commands ALTER COLUMN id SET DEFAULT nextval('opendrs_state.commands_id_seq'::regclass);
ALTER TABLE ONLY opendrs_state.events ALTER COLUMN id SET DEFAULT nextval('opendrs_state.events_id_seq'::regclass);
INSERT INTO opendrs_state.access_keys VALUES ('ACCESSKEY', '00000000000000000000000000000001', 'v1.sealed');
INSERT INTO opendrs_state.actions VALUES ('ab4f1169-f675-49db-b1e3-f3918accbc2a', '01234567-89ab-cdef-0123-456789ajb20p', 'create', 'admin', 'success', '{}', NULL, 0, NULL, NULL, NULL, 0, '2026-11-30 10:40:07.189006+00', '2026-11-30 10:40:07.189006+00');
INSERT INTO opendrs_state.actions VALUES ('0e02f388-20d7-48a5-b402-a8f41b5eafef', '01234567-89ab-cdef-0123-456789ajb20p', 'precheck', 'admin', 'success', '{}', NULL, 1, '{"passed": true, "findings": []}', NULL, NULL, 1, '2026-11-30 10:40:07.212133+00', '2026-11-30 10:40:07.247502+00');
INSERT INTO opendrs_state.alembic_version VALUES ('0004');
INSERT INTO opendrs_state.checkpoints VALUES ('0123456789abcdef0123456789abcdef', 5, 'following', '{"version": 1}', '2026-11-30 10:40:07.323852+00');
INSERT INTO opendrs_state.commands VALUES (1, '0123456789abcdef0123456789abcdef', 'proof', '2026-11-30 10:40:07.3418+00');
INSERT INTO opendrs_state.compare_keys VALUES ('01234567-89ab-cdef-0123-456789ajb20p', 'shop', 'orders', '["region", "number"]');
INSERT INTO opendrs_state.events VALUES (1, '0123456789abcdef0123456789abcdef', '2026-11-23 12:30:45.678901+00', 'info', 'network.lost', 'gone', '{"n": 1}');
INSERT INTO opendrs_state.jobs VALUES ('01234567-89ab-cdef-0123-456789ajb20p', 'Nightly-2', 'mysql://anna@source.example:3306/shop', 'postgresql://ben@target.example:5432/ware?tls=disable', 'full+incremental', '{"schemas": {"shop": "store"}, "version": 1, "patterns": ["shop.*", "logs.a?"]}', '{"ddl": "carry", "apply": "merged", "indexes": "all", "readers": 4, "version": 4, "topology": "one2one", "server_id": 77, "consistent": false, "publishing": {"topic": "", "format": "json", "delivery": "exactly-once", "ddl_topic": "", "partitions": 1, "compression": "lz4", "topic_policy": 1, "checkpoint_topic": "", "partition_policy": 0, "topic_name_format": "", "transaction_bytes": 1073741824, "replication_factor": 1}, "nul_in_text": "stop", "skipped_ddl": ["drop_table"], "spool_bytes": 10737418240, "invalid_dates": "null"}', 'PAUSING', NULL, '2026-11-30 10:40:07.137437+00', '2026-11-30 10:40:07.15366+00', 'rest', 1, '0123456789abcdef0123456789abcdef', 'nightly-2', 'every night', 'sync', 'mysql-to-pgl', 'up', 'vpc', ' source.example target.example ', '{"base_info": {"expired_days": "14"}, "source_endpoint": {"db_type": "mysql"}}', NULL);
INSERT INTO opendrs_state.jobs VALUES ('0123456789abcdef0123456789abcdef', 'nightly', 'mysql://anna@source.example:3306/shop', 'postgresql://ben@target.example:5432/ware?tls=disable', 'full+incremental', '{"schemas": {"shop": "store"}, "version": 1, "patterns": ["shop.*", "logs.a?"]}', '{"ddl": "carry", "apply": "merged", "indexes": "all", "readers": 4, "version": 4, "topology": "one2one", "server_id": 77, "consistent": false, "publishing": {"topic": "", "format": "json", "delivery": "exactly-once", "ddl_topic": "", "partitions": 1, "compression": "lz4", "topic_policy": 1, "checkpoint_topic": "", "partition_policy": 0, "topic_name_format": "", "transaction_bytes": 1073741824, "replication_factor": 1}, "nul_in_text": "stop", "skipped_ddl": ["drop_table"], "spool_bytes": 10737418240, "invalid_dates": "null"}', 'INCRE_TRANSFER_FAILED', '{"code": "DRS.10050010", "hint": "Keep the log longer, and load the tables again: the changes in between cannot be had any more.", "fault": "LOG_PURGED", "message": "The source no longer has the log from binlog.000003:4 on: it was purged — “Ünïcødé”"}', '2026-11-30 10:40:07.265211+00', '2026-11-30 10:40:07.30971+00', 'rest', 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO opendrs_state.leases VALUES ('0123456789abcdef0123456789abcdef', 5, 'worker', 4711, 1795000000.25, 'there/1234abcd/pid:[1]', '2026-11-30 10:40:07.303043+00', '{"task": "full+incremental", "version": 1}', '{"exit": "FAILED", "newer": 0, "phase": "following", "version": 1}');
INSERT INTO opendrs_state.progress VALUES ('0123456789abcdef0123456789abcdef', '{"metrics": {"apply_latency": null}, "version": 1}', '2026-11-30 10:40:07.330905+00');
INSERT INTO opendrs_state.projects VALUES ('0123456789abcdef0123456789abcdef', 'default');
INSERT INTO opendrs_state.proofs VALUES ('0123456789abcdef0123456789abcdef', 'shop', 'orders', 'equal', 3, 3, 'abababababababababababababababab', 'abababababababababababababababab', '{"version": 1}', '', 1.25, '2026-11-23 12:30:45.678901+00');
INSERT INTO opendrs_state.secrets VALUES ('01234567-89ab-cdef-0123-456789ajb20p', 'source_password', 'v1.sealed');
INSERT INTO opendrs_state.table_progress VALUES ('0123456789abcdef0123456789abcdef', 'shop', 'orders', 1099511627776, 1125899906842624, 9, 99, 'loaded', '2026-11-30 10:40:07.3378+00');
INSERT INTO opendrs_state.tokens VALUES ('ed1d7eaf9a57c7885903983a5050850cb0b82c0a7e63bab36af983012716b275', '00000000000000000000000000000001', '2026-11-23 12:30:45.678901+00', '2026-11-24 12:30:45.678901+00');
INSERT INTO opendrs_state.users VALUES ('00000000000000000000000000000001', 'admin', 'default', 'scrypt$15$8$3$j3QIwPoP8oGQSqv3vvVckA==$EdlPLfwj1oohBaI0Ee+RiAMVBYPdWdDGeSRxkqHfFn8=', '0123456789abcdef0123456789abcdef');
SELECT pg_catalog.setval('opendrs_state.commands_id_seq', 1, true);
SELECT pg_catalog.setval('opendrs_state.events_id_seq', 1, true);
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
ALTER TABLE ONLY opendrs_state.events
    ADD CONSTRAINT pk_events PRIMARY KEY (id);
ALTER TABLE ONLY opendrs_state.jobs
    ADD CONSTRAINT pk_jobs PRIMARY KEY (id);
ALTER TABLE ONLY opendrs_state.leases
    ADD CONSTRAINT pk_leases PRIMARY KEY (job_id);
ALTER TABLE ONLY opendrs_state.progress
    ADD CONSTRAINT pk_progress PRIMARY KEY (job_id);
ALTER TABLE ONLY opendrs_state.projects
    ADD CONSTRAINT pk_projects PRIMARY KEY (id);
ALTER TABLE ONLY opendrs_state.proofs
    ADD CONSTRAINT pk_proofs PRIMARY KEY (job_id, schema_name, table_name);
ALTER TABLE ONLY opendrs_state.secrets
    ADD CONSTRAINT pk_secrets PRIMARY KEY (job_id, name);
ALTER TABLE ONLY opendrs_state.table_progress
    ADD CONSTRAINT pk_table_progress PRIMARY KEY (job_id, schema_name, table_name);
ALTER TABLE ONLY opendrs_state.tokens
    ADD CONSTRAINT pk_tokens PRIMARY KEY (digest);
ALTER TABLE ONLY opendrs_state.users
    ADD CONSTRAINT pk_users PRIMARY KEY (id);
ALTER TABLE ONLY opendrs_state.projects
    ADD CONSTRAINT uq_projects_name UNIQUE (name);
ALTER TABLE ONLY opendrs_state.users
    ADD CONSTRAINT uq_users_domain_name UNIQUE (domain, name);
CREATE INDEX ix_actions_job_id_asked_at ON opendrs_state.actions USING btree (job_id, asked_at);
CREATE INDEX ix_actions_status_asked_at ON opendrs_state.actions USING btree (status, asked_at);
CREATE INDEX ix_commands_job_id_id ON opendrs_state.commands USING btree (job_id, id);
CREATE INDEX ix_events_job_id_id ON opendrs_state.events USING btree (job_id, id);
CREATE INDEX ix_jobs_intent ON opendrs_state.jobs USING btree (intent);
CREATE INDEX ix_jobs_listed ON opendrs_state.jobs USING btree (project_id, job_type, created_at, id, name_key);
CREATE INDEX ix_tokens_expires_at ON opendrs_state.tokens USING btree (expires_at);
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
ALTER TABLE ONLY opendrs_state.events
    ADD CONSTRAINT fk_events_job_id FOREIGN KEY (job_id) REFERENCES opendrs_state.jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.leases
    ADD CONSTRAINT fk_leases_job_id FOREIGN KEY (job_id) REFERENCES opendrs_state.jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.progress
    ADD CONSTRAINT fk_progress_job_id FOREIGN KEY (job_id) REFERENCES opendrs_state.jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.proofs
    ADD CONSTRAINT fk_proofs_job_id FOREIGN KEY (job_id) REFERENCES opendrs_state.jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.secrets
    ADD CONSTRAINT fk_secrets_job_id FOREIGN KEY (job_id) REFERENCES opendrs_state.jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.table_progress
    ADD CONSTRAINT fk_table_progress_job_id FOREIGN KEY (job_id) REFERENCES opendrs_state.jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.tokens
    ADD CONSTRAINT fk_tokens_user_id FOREIGN KEY (user_id) REFERENCES opendrs_state.users(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.users
    ADD CONSTRAINT fk_users_project_id FOREIGN KEY (project_id) REFERENCES opendrs_state.projects(id) ON DELETE CASCADE;
