"""Every migration and every statement is understood by PostgreSQL 15 as well as by SQLite."""

import glob
import os
import shutil
import tempfile

import pytest

from lab import run
from lab.server import TOP

LIST = os.path.join(os.path.dirname(os.environ.get("KIDOBAN_BINARY") or os.path.join(TOP, "build", "x")),
                    "tests", "unit", "meta", "kidoban-sql-list")


def programs():
    """The folder of PostgreSQL's server programs (Debian keeps them out of PATH)."""
    return max(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda p: int(p.split("/")[4]))


def as_postgres(*argv, stdin=None):
    return run(["runuser", "-u", "postgres", "--", *argv], stdin=stdin, cwd="/")


@pytest.fixture(scope="module")
def psql():
    """A server of our own on a Unix socket; a function that runs SQL in it and stops at the first error."""
    folder = tempfile.mkdtemp(prefix="kdb-pg-")
    shutil.chown(folder, "postgres")
    control = os.path.join(programs(), "pg_ctl")
    as_postgres(os.path.join(programs(), "initdb"), "-D", f"{folder}/db", "--no-sync", "-E", "UTF8", "--locale=C").ok()
    as_postgres(control, "-w", "-t", "300", "-D", f"{folder}/db", "-l", f"{folder}/log", "-o",
                f"-k {folder} -c listen_addresses='' -c fsync=off", "start").ok()
    try:
        yield lambda sql: as_postgres("psql", "-h", folder, "-d", "postgres", "-qX", "-v", "ON_ERROR_STOP=1", "-f", "-",
                                      stdin=sql)
    finally:
        as_postgres(control, "-w", "-m", "immediate", "-D", f"{folder}/db", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def statements():
    found = run([LIST]).ok().out.split("\0")
    return [s.strip() for s in found if s.strip()]


def test_every_migration_and_every_statement_is_prepared(psql):
    files = sorted(glob.glob(os.path.join(TOP, "sql", "*.sql")))
    assert files
    script = ["CREATE DOMAIN blob AS bytea;"]
    for path in files:
        with open(path, encoding="utf-8") as f:
            script.append(f.read())
    sql = statements()
    assert len(sql) > 20
    for i, statement in enumerate(sql):
        script.append(f"PREPARE s{i} AS {statement.rstrip(';')};")
    r = psql("\n".join(script))
    assert r.code == 0, r.text
