BEGIN TRANSACTION;
CREATE TABLE access_keys (
	id VARCHAR(128) NOT NULL, 
	user_id VARCHAR(32) NOT NULL, 
	sealed TEXT NOT NULL, 
	CONSTRAINT pk_access_keys PRIMARY KEY (id), 
	CONSTRAINT fk_access_keys_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
INSERT INTO "access_keys" VALUES('ACCESSKEY','00000000000000000000000000000001','v1.sealed');
CREATE TABLE actions (
	id VARCHAR(36) NOT NULL, 
	job_id VARCHAR(64) NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	user_name TEXT NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	params JSON NOT NULL, 
	sealed TEXT, 
	revision BIGINT NOT NULL, 
	result JSON, 
	failure JSON, 
	runner JSON, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	asked_at DATETIME NOT NULL, 
	ended_at DATETIME, 
	CONSTRAINT pk_actions PRIMARY KEY (id), 
	CONSTRAINT fk_actions_job_id FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
INSERT INTO "actions" VALUES('cf2e7d25-acac-4cb3-8f54-61beddb2c8c3','01234567-89ab-cdef-0123-456789ajb20p','create','admin','success','{}',NULL,0,NULL,NULL,NULL,0,'2026-11-30 11:35:52.819520','2026-11-30 11:35:52.819520');
INSERT INTO "actions" VALUES('e3a2e272-3919-4372-9173-0bfee093796e','01234567-89ab-cdef-0123-456789ajb20p','precheck','admin','success','{}',NULL,1,'{"passed": true, "findings": []}',NULL,NULL,1,'2026-11-30 11:35:52.862400','2026-11-30 11:35:52.891831');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0004');
CREATE TABLE checkpoints (
	job_id VARCHAR(64) NOT NULL, 
	epoch BIGINT NOT NULL, 
	phase VARCHAR(32) NOT NULL, 
	position TEXT, 
	saved_at DATETIME NOT NULL, 
	CONSTRAINT pk_checkpoints PRIMARY KEY (job_id), 
	CONSTRAINT fk_checkpoints_job_id FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
INSERT INTO "checkpoints" VALUES('0123456789abcdef0123456789abcdef',5,'following','{"version": 1}','2026-11-30 11:35:52.999273');
CREATE TABLE commands (
	id INTEGER NOT NULL, 
	job_id VARCHAR(64) NOT NULL, 
	name VARCHAR(32) NOT NULL, 
	asked_at DATETIME NOT NULL, 
	CONSTRAINT pk_commands PRIMARY KEY (id), 
	CONSTRAINT fk_commands_job_id FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
INSERT INTO "commands" VALUES(1,'0123456789abcdef0123456789abcdef','proof','2026-11-30 11:35:53.031886');
CREATE TABLE compare_keys (
	job_id VARCHAR(64) NOT NULL, 
	schema_name VARCHAR(255) NOT NULL, 
	table_name VARCHAR(255) NOT NULL, 
	columns JSON NOT NULL, 
	CONSTRAINT pk_compare_keys PRIMARY KEY (job_id, schema_name, table_name), 
	CONSTRAINT fk_compare_keys_job_id FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
INSERT INTO "compare_keys" VALUES('01234567-89ab-cdef-0123-456789ajb20p','shop','orders','["region", "number"]');
CREATE TABLE ddls (
	job_id VARCHAR(64) NOT NULL, 
	seqno BIGINT NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	"before" TEXT NOT NULL, 
	durable BOOLEAN NOT NULL, 
	point TEXT NOT NULL, 
	statement TEXT NOT NULL, 
	at DATETIME, 
	outcome VARCHAR(16) NOT NULL, 
	reason TEXT NOT NULL, 
	recorded_at DATETIME NOT NULL, 
	cleaned_at DATETIME, 
	CONSTRAINT pk_ddls PRIMARY KEY (job_id, seqno), 
	CONSTRAINT fk_ddls_job_id FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
INSERT INTO "ddls" VALUES('0123456789abcdef0123456789abcdef',1,'149922c39b6dae2441be4ac03efbe75a08afa367a337c785e0671146ad22594d','{"version": 1}',0,'binlog.000003:4711','ALTER TABLE shop.orders DROP INDEX i','2026-11-23 12:30:45.678901','left_out','drop_index','2026-11-30 11:35:53.136335',NULL);
CREATE TABLE dirty_counts (
	job_id VARCHAR(64) NOT NULL, 
	phase VARCHAR(16) NOT NULL, 
	resolved VARCHAR(16) NOT NULL, 
	rows BIGINT NOT NULL, 
	CONSTRAINT pk_dirty_counts PRIMARY KEY (job_id, phase, resolved), 
	CONSTRAINT fk_dirty_counts_job_id FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
INSERT INTO "dirty_counts" VALUES('0123456789abcdef0123456789abcdef','incremental','ignored',1);
CREATE TABLE dirty_rows (
	id INTEGER NOT NULL, 
	job_id VARCHAR(64) NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	phase VARCHAR(16) NOT NULL, 
	schema_name VARCHAR(255) NOT NULL, 
	table_name VARCHAR(255) NOT NULL, 
	op VARCHAR(16) NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	resolved VARCHAR(16) NOT NULL, 
	reason TEXT NOT NULL, 
	statement TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	CONSTRAINT pk_dirty_rows PRIMARY KEY (id), 
	CONSTRAINT fk_dirty_rows_job_id FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
INSERT INTO "dirty_rows" VALUES(1,'0123456789abcdef0123456789abcdef','da4439580f0ed5096d348e3e176c499daf8e0b3168f31124d69a10ed7e6c1289','incremental','shop','orders','update','conflict','ignored','the row is not there','UPDATE shop.orders SET v = ''Ünïcødé'' WHERE id = 1','2026-11-23 12:30:45.678901');
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
	intent VARCHAR(16) DEFAULT 'rest' NOT NULL, 
	revision BIGINT DEFAULT '0' NOT NULL, 
	project_id VARCHAR(64), 
	name_key TEXT, 
	description TEXT, 
	job_type VARCHAR(32), 
	engine_type VARCHAR(64), 
	job_direction VARCHAR(16), 
	net_type VARCHAR(16), 
	places TEXT, 
	facts JSON, 
	starts_at DATETIME, 
	CONSTRAINT pk_jobs PRIMARY KEY (id)
);
INSERT INTO "jobs" VALUES('01234567-89ab-cdef-0123-456789ajb20p','Nightly-2','mysql://anna@source.example:3306/shop','postgresql://ben@target.example:5432/ware?tls=disable','full+incremental','{"version": 1, "patterns": ["shop.*", "logs.a?"], "schemas": {"shop": "store"}}','{"version": 6, "apply": "merged", "readers": 4, "consistent": false, "invalid_dates": "null", "nul_in_text": "stop", "skipped_ddl": ["drop_table"], "ddl": "carry", "indexes": "all", "topology": "one2one", "server_id": 77, "spool_bytes": 10737418240, "batch_rows": 16384, "batch_bytes": 2097152, "chunk_rows": 200000, "publishing": {"format": "json", "topic_policy": 1, "topic": "", "topic_name_format": "", "partition_policy": 0, "partitions": 1, "replication_factor": 1, "ddl_topic": "", "delivery": "exactly-once", "compression": "lz4", "checkpoint_topic": "", "transaction_bytes": 1073741824}, "start": null}','PAUSING',NULL,'2026-11-30 11:35:52.785962','2026-11-30 11:35:52.802683','rest',1,'0123456789abcdef0123456789abcdef','nightly-2','every night','sync','mysql-to-pgl','up','vpc',' source.example target.example ','{"base_info": {"expired_days": "14"}, "source_endpoint": {"db_type": "mysql"}}',NULL);
INSERT INTO "jobs" VALUES('0123456789abcdef0123456789abcdef','nightly','mysql://anna@source.example:3306/shop','postgresql://ben@target.example:5432/ware?tls=disable','full+incremental','{"version": 1, "patterns": ["shop.*", "logs.a?"], "schemas": {"shop": "store"}}','{"version": 6, "apply": "merged", "readers": 4, "consistent": false, "invalid_dates": "null", "nul_in_text": "stop", "skipped_ddl": ["drop_table"], "ddl": "carry", "indexes": "all", "topology": "one2one", "server_id": 77, "spool_bytes": 10737418240, "batch_rows": 16384, "batch_bytes": 2097152, "chunk_rows": 200000, "publishing": {"format": "json", "topic_policy": 1, "topic": "", "topic_name_format": "", "partition_policy": 0, "partitions": 1, "replication_factor": 1, "ddl_topic": "", "delivery": "exactly-once", "compression": "lz4", "checkpoint_topic": "", "transaction_bytes": 1073741824}, "start": null}','INCRE_TRANSFER_FAILED','{"fault": "LOG_PURGED", "code": "DRS.10050010", "message": "The source no longer has the log from binlog.000003:4 on: it was purged \u2014 \u201c\u00dcn\u00efc\u00f8d\u00e9\u201d", "hint": "Keep the log longer, and load the tables again: the changes in between cannot be had any more."}','2026-11-30 11:35:52.945384','2026-11-30 11:35:52.983875','rest',0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
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
INSERT INTO "leases" VALUES('0123456789abcdef0123456789abcdef',5,'worker',4711,1795000000.25,'there/1234abcd/pid:[1]','2026-11-30 11:35:52.981487','{"version": 1, "task": "full+incremental"}','{"version": 1, "exit": "FAILED", "phase": "following", "newer": 0}');
CREATE TABLE parameter_changes (
	id INTEGER NOT NULL, 
	job_id VARCHAR(64) NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	old_value TEXT NOT NULL, 
	new_value TEXT NOT NULL, 
	user_name TEXT NOT NULL, 
	changed_at DATETIME NOT NULL, 
	in_policy BOOLEAN NOT NULL, 
	applied_at DATETIME, 
	CONSTRAINT pk_parameter_changes PRIMARY KEY (id), 
	CONSTRAINT fk_parameter_changes_job_id FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
INSERT INTO "parameter_changes" VALUES(1,'01234567-89ab-cdef-0123-456789ajb20p','read_task_num','4','6','admin','2026-11-30 11:35:52.905901',0,NULL);
CREATE TABLE progress (
	job_id VARCHAR(64) NOT NULL, 
	counters JSON NOT NULL, 
	updated_at DATETIME NOT NULL, 
	CONSTRAINT pk_progress PRIMARY KEY (job_id), 
	CONSTRAINT fk_progress_job_id FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
INSERT INTO "progress" VALUES('0123456789abcdef0123456789abcdef','{"version": 1, "metrics": {"apply_latency": null}}','2026-11-30 11:35:53.010309');
CREATE TABLE projects (
	id VARCHAR(64) NOT NULL, 
	name TEXT NOT NULL, 
	CONSTRAINT pk_projects PRIMARY KEY (id), 
	CONSTRAINT uq_projects_name UNIQUE (name)
);
INSERT INTO "projects" VALUES('0123456789abcdef0123456789abcdef','default');
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
CREATE TABLE secrets (
	job_id VARCHAR(64) NOT NULL, 
	name VARCHAR(32) NOT NULL, 
	sealed TEXT NOT NULL, 
	CONSTRAINT pk_secrets PRIMARY KEY (job_id, name), 
	CONSTRAINT fk_secrets_job_id FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
INSERT INTO "secrets" VALUES('01234567-89ab-cdef-0123-456789ajb20p','source_password','v1.sealed');
CREATE TABLE speed_limits (
	job_id VARCHAR(64) NOT NULL, 
	windows JSON NOT NULL, 
	changed_at DATETIME NOT NULL, 
	CONSTRAINT pk_speed_limits PRIMARY KEY (job_id), 
	CONSTRAINT fk_speed_limits_job_id FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
INSERT INTO "speed_limits" VALUES('01234567-89ab-cdef-0123-456789ajb20p','[{"begin": 22, "end": 5, "megabytes": 9999, "utc": false}]','2026-11-30 11:35:52.908043');
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
	scanned BIGINT DEFAULT '0' NOT NULL, 
	indexes INTEGER DEFAULT '0' NOT NULL, 
	indexes_made INTEGER DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_table_progress PRIMARY KEY (job_id, schema_name, table_name), 
	CONSTRAINT fk_table_progress_job_id FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
INSERT INTO "table_progress" VALUES('0123456789abcdef0123456789abcdef','shop','orders',1099511627776,1125899906842624,9,99,'loaded','2026-11-30 11:35:53.027815',1099511627776,0,0);
CREATE TABLE tokens (
	digest VARCHAR(64) NOT NULL, 
	user_id VARCHAR(32) NOT NULL, 
	issued_at DATETIME NOT NULL, 
	expires_at DATETIME NOT NULL, 
	CONSTRAINT pk_tokens PRIMARY KEY (digest), 
	CONSTRAINT fk_tokens_user_id FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
INSERT INTO "tokens" VALUES('ed1d7eaf9a57c7885903983a5050850cb0b82c0a7e63bab36af983012716b275','00000000000000000000000000000001','2026-11-23 12:30:45.678901','2026-11-24 12:30:45.678901');
CREATE TABLE users (
	id VARCHAR(32) NOT NULL, 
	name TEXT NOT NULL, 
	domain TEXT NOT NULL, 
	password TEXT NOT NULL, 
	project_id VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_users PRIMARY KEY (id), 
	CONSTRAINT uq_users_domain_name UNIQUE (domain, name), 
	CONSTRAINT fk_users_project_id FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE
);
INSERT INTO "users" VALUES('00000000000000000000000000000001','admin','default','scrypt$15$8$3$BZPWNor7HxvzXvvkbQ9Ptw==$4oC/gl15da+BJjNBPRi+PFvpEZNgF7CrCzR3HMt55EA=','0123456789abcdef0123456789abcdef');
CREATE TABLE view_progress (
	job_id VARCHAR(64) NOT NULL, 
	schema_name VARCHAR(255) NOT NULL, 
	view_name VARCHAR(255) NOT NULL, 
	made BOOLEAN NOT NULL, 
	reason TEXT NOT NULL, 
	updated_at DATETIME NOT NULL, 
	CONSTRAINT pk_view_progress PRIMARY KEY (job_id, schema_name, view_name), 
	CONSTRAINT fk_view_progress_job_id FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
);
INSERT INTO "view_progress" VALUES('0123456789abcdef0123456789abcdef','shop','newest',0,'it does not translate','2026-11-30 11:35:53.167776');
CREATE INDEX ix_jobs_intent ON jobs (intent);
CREATE UNIQUE INDEX uq_jobs_project_id_name_key ON jobs (project_id, name_key);
CREATE INDEX ix_jobs_listed ON jobs (project_id, job_type, created_at, id, name_key);
CREATE INDEX ix_actions_status_asked_at ON actions (status, asked_at);
CREATE INDEX ix_actions_job_id_asked_at ON actions (job_id, asked_at);
CREATE INDEX ix_commands_job_id_id ON commands (job_id, id);
CREATE INDEX ix_events_job_id_id ON events (job_id, id);
CREATE UNIQUE INDEX uq_dirty_rows_job_id_digest ON dirty_rows (job_id, digest);
CREATE INDEX ix_dirty_rows_job_id_phase_id ON dirty_rows (job_id, phase, id);
CREATE UNIQUE INDEX uq_ddls_job_id_digest ON ddls (job_id, digest);
CREATE INDEX ix_parameter_changes_job_id_id ON parameter_changes (job_id, id);
CREATE INDEX ix_tokens_expires_at ON tokens (expires_at);
COMMIT;
