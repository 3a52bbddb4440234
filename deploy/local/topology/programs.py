"""Command lines for this machine: what an image would run, by the programs that are installed here."""
from __future__ import annotations

import glob
import os
import shutil
import subprocess

from .description import Service
from .places import Places

# What the entry points of other people's images run; in them it is found by its name.
NEEDED = {"redis": "redis-server", "postgres": "postgres", "curlimages/curl": "curl", "prom/prometheus": "prometheus"}
ENTRY_POINTS = {"prom/prometheus": ["prometheus"]}


def repository(service):
    """The name of its image without the version."""
    return service.image.rpartition(":")[0]


def find(name):
    """The path of a program; of PostgreSQL's the newest version's, which are on no PATH. None if it is not installed."""
    newest = sorted(glob.glob("/usr/lib/postgresql/*/bin/" + name), key=lambda path: int(path.split("/")[4]))
    return newest[-1] if newest else shutil.which(name)


def missing(service):
    """The program that it needs and that is not installed here, or None. Grafana has no package in Debian."""
    if repository(service) == "grafana/grafana":
        return "grafana"
    needed = NEEDED.get(repository(service))
    return needed if needed and not find(needed) else None


def environment(service: Service, places: Places):
    """Its environment: what the file says, and nothing of the caller's but where programs are."""
    found = {name: places.rewrite(str(value), service) for name, value in service.environment.items()}
    found["PATH"] = os.pathsep.join([str(places.programs), os.environ.get("PATH", "/usr/bin:/bin")])
    found["LC_ALL"] = "C.UTF-8"
    # The policies read their secrets there unless told otherwise, as the containers do.
    found["POSTERN_SECRETS"] = str(places.folder / "secrets")
    return found


def command(service: Service, places: Places):
    """Its command line. Whatever becomes of this process, the child is told to end with it."""
    words = ["setpriv", "--pdeathsig", "TERM"]
    if repository(service) == "postgres":
        return words + as_database_user() + database(service, places)
    entry = ENTRY_POINTS.get(repository(service), [])
    return words + entry + [places.rewrite(word, service) for word in service.command]


def check(service: Service, places: Places):
    """The command line of its health check."""
    return [places.rewrite(word, service) for word in service.check]


def as_database_user():
    """PostgreSQL refuses to be root's."""
    return ["--reuid=postgres", "--regid=postgres", "--init-groups"] if os.geteuid() == 0 else []


def database(service: Service, places: Places):
    """PostgreSQL with a new cluster: what its image's entry point does. Nothing of it outlives the run, so it need not wait for
    the disk."""
    mounted = next(mount for mount in service.mounts if mount[1] == "volume")
    folder = places.path(service, mounted)
    data = folder / "data"
    user, name = service.environment["POSTGRES_USER"], service.environment["POSTGRES_DB"]
    password = folder / "password"
    shutil.copy(places.rewrite(service.environment["POSTGRES_PASSWORD_FILE"], service), password)
    if os.geteuid() == 0:
        for each in (folder, password):
            shutil.chown(each, "postgres", "postgres")
    user_words = ["setpriv"] + as_database_user() if os.geteuid() == 0 else []
    setup = user_words + [find("initdb"), "-D", data, "-U", user, "--pwfile", password, "-A", "scram-sha-256", "-E", "UTF8",
                          "--locale=C", "--no-sync"]
    quietly(setup, folder)
    quietly(user_words + [find("postgres"), "--single", "-D", data, "template1"], folder,
            "CREATE DATABASE %s OWNER %s\n" % (name, user))
    settings = {"listen_addresses": places.address(service), "port": 5432, "unix_socket_directories": folder, "fsync": "off",
                "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "32MB"}
    return [find("postgres"), "-D", str(data)] + [word for item in settings.items() for word in ("-c", "%s=%s" % item)]


def quietly(words, folder, typed=""):
    """Runs a program of PostgreSQL's set-up to its end; what it says is seen only if it fails."""
    done = subprocess.run([str(each) for each in words], cwd=str(folder), input=typed, encoding="utf-8", stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise RuntimeError("%s\n%s" % (words, done.stdout[-2000:]))
