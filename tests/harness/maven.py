"""Java archives by name, through Maven, with all they depend on.

Maven works in a local repository of its own, which is thrown away: the user's stays as it is, and
whoever else uses that at the same time cannot spoil our archives. The repository that they come
from is whatever this machine's Maven is set up with.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from tests.harness import cache, java
from tests.harness.commands import CommandFailed, run
from tests.harness.server import ServerUnavailable

LAYOUT = 1  # changes when the way of fetching changes, so that folders made the old way are not used
ATTEMPTS = 2
PAUSE_S = 3.0

# What Kafka and Flink log goes through it to standard error; which logger they do it with is left to us by both.
LOGGER = "org.slf4j:slf4j-simple:1.7.36"

PROJECT = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>opendrs.tests</groupId>
  <artifactId>jars</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
{dependencies}
  </dependencies>
</project>
"""
DEPENDENCY = """\
    <dependency>
      <groupId>{}</groupId>
      <artifactId>{}</artifactId>
      <version>{}</version>
    </dependency>"""


def jars(name: str, *artifacts: str) -> tuple[Path, ...]:
    """The archives of `artifacts` ("group:artifact:version") and of what these need to run.

    name  of their folder in the cache

    The order is always the same. Raises ServerUnavailable if this machine cannot have them.
    """
    key = cache.fingerprint(LAYOUT, artifacts)

    def make(folder: Path) -> None:
        _fetch(artifacts, folder / "libs", folder / "scratch")

    place = cache.entry(cache.cache_root() / "jars" / f"{name}-{key}", make)
    return tuple(sorted((place / "libs").glob("*.jar")))


def _fetch(artifacts: tuple[str, ...], libs: Path, scratch: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise ServerUnavailable("this machine has no mvn command, needed to fetch Java archives")
    home = java.find().program.resolve().parents[1]
    for attempt in range(1, ATTEMPTS + 1):
        shutil.rmtree(libs, ignore_errors=True)
        shutil.rmtree(scratch, ignore_errors=True)
        try:
            _run_maven(maven, home, artifacts, libs, scratch)
            break
        except CommandFailed as error:
            if attempt == ATTEMPTS:
                raise ServerUnavailable(f"Maven could not get {', '.join(artifacts)}: {error}") from error
            time.sleep(PAUSE_S)
    shutil.rmtree(scratch)


def _run_maven(maven: str, home: Path, artifacts: tuple[str, ...], libs: Path, scratch: Path) -> None:
    scratch.mkdir()
    dependencies = "\n".join(DEPENDENCY.format(*artifact.split(":")) for artifact in artifacts)
    project = scratch / "pom.xml"
    project.write_text(PROJECT.format(dependencies=dependencies))
    run(
        [
            maven,
            "--quiet",
            "--batch-mode",
            "--strict-checksums",  # otherwise what arrives damaged is only warned of
            "-Dstyle.color=never",
            f"-Dmaven.repo.local={scratch / 'repository'}",
            f"--file={project}",
            "dependency:copy-dependencies",
            "-DincludeScope=runtime",
            f"-DoutputDirectory={libs}",
        ],
        environment={**os.environ, "JAVA_HOME": str(home)},
    )
