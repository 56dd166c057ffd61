"""A whole job with the official SDK: `pip install huaweicloudsdkdrs`, then

    OPENDRS_URL=http://127.0.0.1:8920 OPENDRS_ACCESS_KEY=... OPENDRS_SECRET_KEY=... OPENDRS_PROJECT_ID=... \\
    SOURCE=mysql://user:password@host:3306 TARGET=postgresql://user:password@host:5432/database DATABASE=shop \\
    python first_job.py

It creates a job, tests its connections, chooses a database, runs the prechecks, starts, and watches until the target
follows the source. The job goes on when this script has ended.
"""

import os
import sys
import time
from urllib.parse import unquote, urlsplit

import huaweicloudsdkdrs.v5 as drs
from huaweicloudsdkcore.auth.credentials import BasicCredentials

POLL_S = 0.5


def client() -> drs.DrsClient:
    keys = [os.environ[f"OPENDRS_{name}"] for name in ("ACCESS_KEY", "SECRET_KEY", "PROJECT_ID")]
    builder = drs.DrsClient.new_builder().with_credentials(BasicCredentials(*keys))
    return builder.with_endpoint(os.environ["OPENDRS_URL"]).build()


def endpoint(role: str, kind: str, url: str) -> drs.JobEndpointInfo:
    """One side. `role`: so (source) or ta (target)."""
    parts = urlsplit(url)
    base = drs.BaseEndpoint(
        endpoint_name=kind,
        ip=parts.hostname,
        db_port=str(parts.port),
        db_user=unquote(parts.username or ""),
        db_password=unquote(parts.password or ""),
        db_name=parts.path.lstrip("/") or None,
    )
    return drs.JobEndpointInfo(db_type=kind, endpoint_type="offline", endpoint_role=role, endpoint=base)


def main() -> None:
    api, database = client(), os.environ["DATABASE"]
    source = endpoint("so", "mysql", os.environ["SOURCE"])
    target = endpoint("ta", "postgresql", os.environ["TARGET"])

    base = drs.JobBaseInfo(
        name=f"first-{database}"[:50], engine_type="mysql-to-pgl", job_type="sync", job_direction="non-dbs",
        net_type="vpc", task_type="FULL_INCR_TRANS",
    )  # fmt: skip
    node = drs.JobNodeInfo(spec=drs.JobNodeSpecInfo(node_type="high"))
    asked = drs.CreateJobReq(base_info=base, source_endpoint=[source], target_endpoint=[target], node_info=node)
    job = api.create_job(drs.CreateJobRequest(body=drs.SingleCreateJobReq(asked))).id
    print("created", job)

    def detail(view: str, **more: str) -> drs.JobDetailResp:
        return api.show_job_detail(drs.ShowJobDetailRequest(job_id=job, type=view, **more)).job

    def act(name: str, **params: object) -> str:
        body = drs.JobActionReq(drs.ActionReq(action_name=name, action_params=drs.ActionParams(**params)))
        return api.execute_job_action(drs.ExecuteJobActionRequest(job_id=job, body=body)).query_id

    while detail("overview").status == "CREATING":
        time.sleep(POLL_S)

    # What answers is what the job has from then on; here they are the ends that it was created with.
    query = act("network", endpoints=[source, target])
    while not (found := detail("network", query_id=query).network_results):
        time.sleep(POLL_S)
    for row in found:
        print("network", row.ip, row.result or row.error_msg)

    chosen = drs.DbObject(object_scope="database", object_info={database: drs.DatabaseObject(name=database, all=True)})
    update = drs.UpdateJobReq(type="db_object", params=drs.UpdateJob(db_object=chosen))
    api.update_job(drs.UpdateJobRequest(job_id=job, body=drs.SingleUpdateJobReq(update)))
    while True:  # the id of the job stands for the last saving
        saving = api.show_update_object_saving_status(drs.ShowUpdateObjectSavingStatusRequest(job_id=job, query_id=job))
        if saving.status != "pending":
            break
        time.sleep(POLL_S)
    print("objects", saving.status)

    query = act("precheck", precheck_mode="forStartJob")
    while (result := detail("precheck", query_id=query).precheck_result).process != "100%":
        time.sleep(POLL_S)
    for row in result.precheck_results:
        if row.result != "PASSED":
            print(row.result, row.item, row.failed_reason)
    if not result.result:
        sys.exit(f"the prechecks have passed at {result.total_passed_rate}: mend what has FAILED")

    act("start")
    while (status := detail("overview").status) != "INCRE_TRANSFER_STARTED":
        progress = detail("progress").progress_info
        print(status, f"{progress.progress}%")
        if status.endswith("FAILED"):
            sys.exit(detail("log", log_level="Error").logs[0].message)
        time.sleep(POLL_S)
    print("the target follows the source")


if __name__ == "__main__":
    main()
