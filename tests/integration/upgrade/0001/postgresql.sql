CREATE SCHEMA opendrs_state;
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
    updated_at timestamp with time zone NOT NULL
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
ALTER TABLE ONLY opendrs_state.commands ALTER COLUMN id SET DEFAULT nextval('opendrs_state.commands_id_seq'::regclass);
ALTER TABLE ONLY opendrs_state.events ALTER COLUMN id SET DEFAULT nextval('opendrs_state.events_id_seq'::regclass);
INSERT INTO opendrs_state.alembic_version VALUES ('0001');
INSERT INTO opendrs_state.checkpoints VALUES ('0123456789abcdef0123456789abcdef', 5, 'following', '{"version": 1}', '2026-11-23 17:33:57.14655+00');
INSERT INTO opendrs_state.commands VALUES (1, '0123456789abcdef0123456789abcdef', 'proof', '2026-11-23 17:33:57.182204+00');
INSERT INTO opendrs_state.events VALUES (1, '0123456789abcdef0123456789abcdef', '2026-11-23 12:30:45.678901+00', 'info', 'network.lost', 'gone', '{"n": 1}');
INSERT INTO opendrs_state.jobs VALUES ('0123456789abcdef0123456789abcdef', 'nightly', 'mysql://anna@source.example:3306/shop', 'postgresql://ben@target.example:5432/ware?tls=disable', 'full+incremental', '{"schemas": {"shop": "store"}, "version": 1, "patterns": ["shop.*", "logs.a?"]}', '{"skipped_ddl": ["drop_table"], "apply": "merged", "readers": 4, "version": 1, "server_id": 77, "consistent": false, "nul_in_text": "stop", "spool_bytes": 10737418240, "invalid_dates": "null"}', 'INCRE_TRANSFER_FAILED', '{"code": "DRS.10050010", "hint": "Keep the log longer, and load the tables again: the changes in between cannot be had any more.", "fault": "LOG_PURGED", "message": "The source no longer has the log from binlog.000003:4 on: it was purged — “Ünïcødé”"}', '2026-11-23 17:33:57.061329+00', '2026-11-23 17:33:57.138474+00');
INSERT INTO opendrs_state.leases VALUES ('0123456789abcdef0123456789abcdef', 5, 'worker', 4711, 1795000000.25, 'there/1234abcd/pid:[1]', '2026-11-23 17:33:57.131572+00', '{"task": "full+incremental", "version": 1}', '{"exit": "FAILED", "newer": 0, "phase": "following", "version": 1}');
INSERT INTO opendrs_state.progress VALUES ('0123456789abcdef0123456789abcdef', '{"metrics": {"apply_latency": null}, "version": 1}', '2026-11-23 17:33:57.163457+00');
INSERT INTO opendrs_state.proofs VALUES ('0123456789abcdef0123456789abcdef', 'shop', 'orders', 'equal', 3, 3, 'abababababababababababababababab', 'abababababababababababababababab', '{"version": 1}', '', 1.25, '2026-11-23 12:30:45.678901+00');
INSERT INTO opendrs_state.table_progress VALUES ('0123456789abcdef0123456789abcdef', 'shop', 'orders', 1099511627776, 1125899906842624, 9, 99, 'loaded', '2026-11-23 17:33:57.175448+00');
SELECT pg_catalog.setval('opendrs_state.commands_id_seq', 1, true);
SELECT pg_catalog.setval('opendrs_state.events_id_seq', 1, true);
ALTER TABLE ONLY opendrs_state.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY opendrs_state.checkpoints
    ADD CONSTRAINT pk_checkpoints PRIMARY KEY (job_id);
ALTER TABLE ONLY opendrs_state.commands
    ADD CONSTRAINT pk_commands PRIMARY KEY (id);
ALTER TABLE ONLY opendrs_state.events
    ADD CONSTRAINT pk_events PRIMARY KEY (id);
ALTER TABLE ONLY opendrs_state.jobs
    ADD CONSTRAINT pk_jobs PRIMARY KEY (id);
ALTER TABLE ONLY opendrs_state.leases
    ADD CONSTRAINT pk_leases PRIMARY KEY (job_id);
ALTER TABLE ONLY opendrs_state.progress
    ADD CONSTRAINT pk_progress PRIMARY KEY (job_id);
ALTER TABLE ONLY opendrs_state.proofs
    ADD CONSTRAINT pk_proofs PRIMARY KEY (job_id, schema_name, table_name);
ALTER TABLE ONLY opendrs_state.table_progress
    ADD CONSTRAINT pk_table_progress PRIMARY KEY (job_id, schema_name, table_name);
CREATE INDEX ix_commands_job_id_id ON opendrs_state.commands USING btree (job_id, id);
CREATE INDEX ix_events_job_id_id ON opendrs_state.events USING btree (job_id, id);
ALTER TABLE ONLY opendrs_state.checkpoints
    ADD CONSTRAINT fk_checkpoints_job_id FOREIGN KEY (job_id) REFERENCES opendrs_state.jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.commands
    ADD CONSTRAINT fk_commands_job_id FOREIGN KEY (job_id) REFERENCES opendrs_state.jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.events
    ADD CONSTRAINT fk_events_job_id FOREIGN KEY (job_id) REFERENCES opendrs_state.jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.leases
    ADD CONSTRAINT fk_leases_job_id FOREIGN KEY (job_id) REFERENCES opendrs_state.jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.progress
    ADD CONSTRAINT fk_progress_job_id FOREIGN KEY (job_id) REFERENCES opendrs_state.jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.proofs
    ADD CONSTRAINT fk_proofs_job_id FOREIGN KEY (job_id) REFERENCES opendrs_state.jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY opendrs_state.table_progress
    ADD CONSTRAINT fk_table_progress_job_id FOREIGN KEY (job_id) REFERENCES opendrs_state.jobs(id) ON DELETE CASCADE;
