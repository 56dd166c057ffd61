BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE checkpoints (
	job_id VARCHAR(64) NOT NULL, 
	epoch BIGINT NOT NULL, 
	phase VARCHAR(32) NOT NULL, 
	position TEXT, 
	saved_at DATETIME NOT NULL, 
	CONSTRAINT pk_checkpoints PRIMARY KEY (job_id), 
	CONSTRAINT fk_checkpoints_job_id FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
INSERT INTO "checkpoints" VALUES('0123456789abcdef0123456789abcdef',5,'following','{"version": 1}','2026-11-23 17:33:54.235054');
CREATE TABLE commands (
	id INTEGER NOT NULL, 
	job_id VARCHAR(64) NOT NULL, 
	name VARCHAR(32) NOT NULL, 
	asked_at DATETIME NOT NULL, 
	CONSTRAINT pk_commands PRIMARY KEY (id), 
	CONSTRAINT fk_commands_job_id FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
INSERT INTO "commands" VALUES(1,'0123456789abcdef0123456789abcdef','proof','2026-11-23 17:33:54.275723');
CREATE TABLE events (
	id INTEGER NOT NULL, 
	job_id VARCHAR(64) NOT NULL, 
	at DATETIME NOT NULL, 
	level VARCHAR(16) NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	message TEXT NOT NULL, 
	fields JSON NOT NULL, 
	CONSTRAINT pk_events PRIMARY KEY (id), 
	CONSTRAINT fk_events_job_id FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
INSERT INTO "events" VALUES(1,'0123456789abcdef0123456789abcdef','2026-11-23 12:30:45.678901','info','network.lost','gone','{"n": 1}');
CREATE TABLE jobs (
	id VARCHAR(64) NOT NULL, 
	name TEXT NOT NULL, 
	source TEXT NOT NULL, 
	target TEXT NOT NULL, 
	task VARCHAR(32) NOT NULL, 
	selection JSON NOT NULL, 
	policy JSON NOT NULL, 
	state VARCHAR(40) NOT NULL, 
	failure JSON, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	CONSTRAINT pk_jobs PRIMARY KEY (id)
);
INSERT INTO "jobs" VALUES('0123456789abcdef0123456789abcdef','nightly','mysql://anna@source.example:3306/shop','postgresql://ben@target.example:5432/ware?tls=disable','full+incremental','{"version": 1, "patterns": ["shop.*", "logs.a?"], "schemas": {"shop": "store"}}','{"version": 1, "apply": "merged", "readers": 4, "consistent": false, "invalid_dates": "null", "nul_in_text": "stop", "skipped_ddl": ["drop_table"], "server_id": 77, "spool_bytes": 10737418240}','INCRE_TRANSFER_FAILED','{"fault": "LOG_PURGED", "code": "DRS.10050010", "message": "The source no longer has the log from binlog.000003:4 on: it was purged \u2014 \u201c\u00dcn\u00efc\u00f8d\u00e9\u201d", "hint": "Keep the log longer, and load the tables again: the changes in between cannot be had any more."}','2026-11-23 17:33:54.185672','2026-11-23 17:33:54.233739');
CREATE TABLE leases (
	job_id VARCHAR(64) NOT NULL, 
	epoch BIGINT NOT NULL, 
	owner VARCHAR(16) NOT NULL, 
	pid BIGINT NOT NULL, 
	started_at FLOAT NOT NULL, 
	host TEXT NOT NULL, 
	renewed_at DATETIME NOT NULL, 
	settings JSON NOT NULL, 
	outcome JSON, 
	CONSTRAINT pk_leases PRIMARY KEY (job_id), 
	CONSTRAINT fk_leases_job_id FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
INSERT INTO "leases" VALUES('0123456789abcdef0123456789abcdef',5,'worker',4711,1795000000.25,'there/1234abcd/pid:[1]','2026-11-23 17:33:54.222532','{"version": 1, "task": "full+incremental"}','{"version": 1, "exit": "FAILED", "phase": "following", "newer": 0}');
CREATE TABLE progress (
	job_id VARCHAR(64) NOT NULL, 
	counters JSON NOT NULL, 
	updated_at DATETIME NOT NULL, 
	CONSTRAINT pk_progress PRIMARY KEY (job_id), 
	CONSTRAINT fk_progress_job_id FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
INSERT INTO "progress" VALUES('0123456789abcdef0123456789abcdef','{"version": 1, "metrics": {"apply_latency": null}}','2026-11-23 17:33:54.250870');
CREATE TABLE proofs (
	job_id VARCHAR(64) NOT NULL, 
	schema_name VARCHAR(255) NOT NULL, 
	table_name VARCHAR(255) NOT NULL, 
	verdict VARCHAR(16) NOT NULL, 
	source_rows BIGINT, 
	target_rows BIGINT, 
	source_checksum TEXT, 
	target_checksum TEXT, 
	position TEXT, 
	reason TEXT NOT NULL, 
	seconds FLOAT NOT NULL, 
	taken_at DATETIME NOT NULL, 
	CONSTRAINT pk_proofs PRIMARY KEY (job_id, schema_name, table_name), 
	CONSTRAINT fk_proofs_job_id FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
INSERT INTO "proofs" VALUES('0123456789abcdef0123456789abcdef','shop','orders','equal',3,3,'abababababababababababababababab','abababababababababababababababab','{"version": 1}','',1.25,'2026-11-23 12:30:45.678901');
CREATE TABLE table_progress (
	job_id VARCHAR(64) NOT NULL, 
	schema_name VARCHAR(255) NOT NULL, 
	table_name VARCHAR(255) NOT NULL, 
	rows BIGINT NOT NULL, 
	bytes BIGINT NOT NULL, 
	rows_estimate BIGINT NOT NULL, 
	bytes_estimate BIGINT NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	updated_at DATETIME NOT NULL, 
	CONSTRAINT pk_table_progress PRIMARY KEY (job_id, schema_name, table_name), 
	CONSTRAINT fk_table_progress_job_id FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
INSERT INTO "table_progress" VALUES('0123456789abcdef0123456789abcdef','shop','orders',1099511627776,1125899906842624,9,99,'loaded','2026-11-23 17:33:54.257735');
CREATE INDEX ix_commands_job_id_id ON commands (job_id, id);
CREATE INDEX ix_events_job_id_id ON events (job_id, id);
COMMIT;
