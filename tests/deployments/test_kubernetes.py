"""The example for Kubernetes: valid, of the restricted profile, and run by podman."""

from __future__ import annotations

import copy
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import kubernetes_validate
import pytest
import yaml

from deskgate.testing.viewer import Viewer
from tests.container.desk import ONE, image_of
from tests.container.engine import Result, free_port, run, wait_until
from tests.container.web import ask_at, bearer
from tests.deployments.example import EXAMPLES, commands
from tests.deployments.restricted import violations
from tests.deployments.visit import WRONG, log_in, person

FOLDER: Final = EXAMPLES / "kubernetes"
MANIFESTS: Final[list[dict[str, Any]]] = list(
    yaml.safe_load_all((FOLDER / "desk.yaml").read_text(encoding="utf-8"))
)
VERSIONS: Final = (
    "1.25",
    "1.31",
    "1.37",
)  # of Kubernetes: the oldest and newest schemas, one between
KINDS: Final = ["Namespace", "Deployment", "Service", "Ingress", "NetworkPolicy"]
CONTAINER: Final = "desk-pod-0-desk"  # as podman calls it
NETWORK: Final = "podman-default-kube-network"  # which podman makes for pods, and leaves behind
LIMITS: Final = '[containers]\ndefault_ulimits = ["nofile=4096:4096", "nproc=8192:8192"]\n'
LOAD_SECONDS: Final = 120.0  # an image of 430 MB: 8 s on an idle machine


def manifest(kind: str) -> dict[str, Any]:
    """The one of its kind."""
    (found,) = (each for each in MANIFESTS if each["kind"] == kind)
    return found


def pod() -> dict[str, Any]:
    """What the Deployment makes; a copy."""
    spec: dict[str, Any] = manifest("Deployment")["spec"]["template"]["spec"]
    return copy.deepcopy(spec)


# --- the manifests ----------------------------------------------------------------------------


def test_the_file_has_these_kinds() -> None:
    """A new one needs its test."""
    assert [each["kind"] for each in MANIFESTS] == KINDS


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_each_manifest_is_of_its_schema(kind: str, version: str) -> None:
    """To the letter: a field that the schema does not have is refused."""
    kubernetes_validate.validate(manifest(kind), version, strict=True)
    unknown = {**manifest(kind), "metadata": {**manifest(kind)["metadata"], "nme": "x"}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(unknown, version, strict=True)


def test_the_pod_is_of_the_restricted_profile() -> None:
    """And its namespace admits no other."""
    assert violations(pod()) == []
    labels = manifest("Namespace")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    names = {each["metadata"].get("namespace", "desk") for each in MANIFESTS}
    assert names == {manifest("Namespace")["metadata"]["name"]}


def weaker(**fields: Any) -> Callable[[dict[str, Any]], None]:
    """Change fields of the container's security context."""
    return lambda spec: spec["containers"][0]["securityContext"].update(fields)


# What is named → what makes a pod of it that the profile forbids.
FORBIDDEN: Final[dict[str, Callable[[dict[str, Any]], None]]] = {
    "hostNetwork": lambda spec: spec.update(hostNetwork=True),
    "hostPID": lambda spec: spec.update(hostPID=True),
    "volumes hostPath": lambda spec: spec["volumes"].append({"name": "x", "hostPath": {}}),
    "securityContext sysctls": lambda spec: spec["securityContext"].update(sysctls=[{}]),
    "securityContext runAsUser": lambda spec: spec["securityContext"].update(runAsUser=0),
    "desk privileged": weaker(privileged=True),
    "desk allowPrivilegeEscalation": weaker(allowPrivilegeEscalation=None),
    "desk runAsNonRoot": lambda spec: spec["securityContext"].pop("runAsNonRoot"),
    "desk runAsUser": weaker(runAsUser=0),
    "desk capabilities drop": weaker(capabilities={}),
    "desk capabilities add": weaker(capabilities={"drop": ["ALL"], "add": ["SYS_ADMIN"]}),
    "desk seccompProfile": lambda spec: spec["securityContext"].pop("seccompProfile"),
    "desk procMount": weaker(procMount="Unmasked"),
    "desk seLinuxOptions": weaker(seLinuxOptions={"type": "spc_t"}),
    "desk hostPort": lambda spec: spec["containers"][0]["ports"][0].update(hostPort=80),
    "desk probe host": lambda spec: spec["containers"][0]["readinessProbe"]["httpGet"].update(
        host="x"
    ),
}


@pytest.mark.parametrize("named", FORBIDDEN)
def test_a_pod_that_is_less_restricted_is_named(named: str) -> None:
    """Each rule of the profile can fail."""
    spec = pod()
    FORBIDDEN[named](spec)
    assert violations(spec) == [named]


def test_its_parts_name_each_other() -> None:
    """Service, Ingress, policy and volumes lead to what is there."""
    deployment, service = manifest("Deployment")["spec"], manifest("Service")["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"] == labels == service["selector"]
    assert manifest("NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == labels
    (container,) = pod()["containers"]
    ports = {each["name"] for each in container["ports"]}
    assert {each["targetPort"] for each in service["ports"]} <= ports
    (rule,) = manifest("Ingress")["spec"]["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert backend["name"] == manifest("Service")["metadata"]["name"]
    assert backend["port"]["name"] in {each["name"] for each in service["ports"]}
    volumes = {each["name"] for each in pod()["volumes"]}
    assert {each["name"] for each in container["volumeMounts"]} == volumes
    env = {each["name"]: each["value"] for each in container["env"]}
    assert env["PUBLIC_URL"] == f"https://{rule['host']}"


def test_the_readmes_commands_name_what_is_there() -> None:
    """No cluster is here: what they lead to is run by podman below."""
    (token,) = (each["secret"] for each in pod()["volumes"] if "secret" in each)
    assert commands((FOLDER / "README.md").read_text()) == [
        "kubectl apply --filename desk.yaml",
        f"kubectl create secret generic {token['secretName']} --namespace desk "
        '--from-literal=token="$(openssl rand -hex 32)"',
        "kubectl rollout status deployment/desk --namespace desk",
        "kubectl exec deployment/desk --namespace desk -- deskgate url",
        "kubectl delete --filename desk.yaml",
    ]


# --- run by podman ----------------------------------------------------------------------------


class Podman:
    """Podman with a store of its own, so that a person's pods and images stay out of it."""

    def __init__(self, folder: Path) -> None:
        # Its own are more than a container of this machine's may have.
        limits = folder / "containers.conf"
        limits.write_text(
            '[containers]\ndefault_ulimits = ["nofile=4096:4096", "nproc=8192:8192"]\n'
        )
        store = ("--root", str(folder / "root"), "--runroot", str(folder / "run"))
        ways = ("--runtime", "runc", "--cgroup-manager", "cgroupfs", "--events-backend", "file")
        self._words = ("env", f"CONTAINERS_CONF={limits}", "podman", *store, *ways)

    def run(self, *words: str, timeout_seconds: float = 60) -> Result:
        """A command, whatever its status."""
        return run(*self._words, *words, timeout_seconds=timeout_seconds)

    def must(self, *words: str, timeout_seconds: float = 60) -> str:
        """A command that has to work; its output."""
        result = self.run(*words, timeout_seconds=timeout_seconds)
        assert result.status == 0, f"podman {' '.join(words)}: {result.err}"
        return result.out


@pytest.fixture(scope="module")
def token() -> str:
    """What the Secret holds."""
    return secrets.token_hex(32)


@pytest.fixture(scope="module")
def port() -> int:
    """Where the pod is published: in a cluster, the Ingress would be."""
    return free_port()


@pytest.fixture(scope="module")
def podman(
    engine: None, token: str, port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Podman]:
    """Plays the manifest as it stands, and publishes the port, which no restricted pod may."""
    folder = tmp_path_factory.mktemp("kubernetes")
    podman = Podman(folder)
    archive = folder / "image.tar"
    image = image_of(ONE)
    saved = run("docker", "save", "--output", str(archive), image, timeout_seconds=LOAD_SECONDS)
    assert saved.status == 0, saved.err
    podman.must("load", "--quiet", "--input", str(archive), timeout_seconds=LOAD_SECONDS)
    archive.unlink()
    podman.must("tag", f"docker.io/library/{image}", pod()["containers"][0]["image"])

    (folder / "secret.yaml").write_text(
        # Podman 4.3 hands on what stands in `data` without decoding it.
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": "desk-token"},
                "data": {"token": token},
            }
        )
    )
    played = (FOLDER / "desk.yaml").read_text()
    inside = "containerPort: 8002"
    assert played.count(inside) == 1
    published = f"{inside}, hostPort: {port}, hostIP: 127.0.0.1"
    (folder / "desk.yaml").write_text(played.replace(inside, published))
    try:
        podman.must("kube", "play", str(folder / "secret.yaml"))
        podman.must("kube", "play", str(folder / "desk.yaml"))
        wait_until(lambda: podman.run("exec", CONTAINER, "deskgate", "health").status == 0, 20)
        yield podman
        podman.must("kube", "down", str(folder / "desk.yaml"))
        assert podman.must("ps", "--all", "--quiet") == ""
    finally:
        podman.run("pod", "rm", "--all", "--force")
        podman.run("rmi", "--all", "--force")
        podman.run("network", "rm", "--force", NETWORK)


def test_the_played_pod_is_as_restricted_as_it_says(podman: Podman) -> None:
    """What the kernel says of PID 1, and of the file system."""
    status = podman.must("exec", CONTAINER, "cat", "/proc/1/status")
    about = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert about["Uid"].split() == ["10001"] * 4
    assert {int(about[name], 16) for name in ("CapPrm", "CapEff", "CapBnd")} == {0}
    assert (about["NoNewPrivs"], about["Seccomp"]) == ("1", "2")
    mounts = podman.must("exec", CONTAINER, "cat", "/proc/mounts").splitlines()
    (options,) = (line.split()[3] for line in mounts if line.split()[1] == "/")
    assert options.split(",")[0] == "ro"
    podman.must("exec", CONTAINER, "touch", "/tmp/x", "/home/deskgate/x")


def test_the_probes_and_the_link_work_in_the_pod(podman: Podman, token: str, port: int) -> None:
    """Ready without a token; the Secret's opens a session and ServerInit, another nothing."""
    place = f"http://localhost:{port}/"
    probe = pod()["containers"][0]["readinessProbe"]["httpGet"]["path"]
    assert ask_at(place + probe[1:]).status == 200
    live = pod()["containers"][0]["livenessProbe"]["exec"]["command"]
    podman.must("exec", CONTAINER, *live)
    link = podman.must("exec", CONTAINER, "deskgate", "url").strip()
    assert link == f"https://desk.example.org/#token={token}"
    assert log_in(place, WRONG).status == 401
    headers = person(place, log_in(place, token).cookie)
    assert ask_at(f"{place}vnc.html", headers=headers).status == 200
    with Viewer(Pod(port), headers=bearer(token)) as viewer:
        assert viewer.name == "deskgate"


def test_the_pods_log_has_no_token(podman: Podman, token: str) -> None:
    """Nor has what podman tells of it."""
    done = podman.run("logs", CONTAINER)
    log = done.out + done.err
    assert "#ticket=" in log
    assert "token=" not in log
    assert token not in log + podman.must("inspect", CONTAINER)


def test_a_read_only_container_of_podmans_starts(podman: Podman) -> None:
    """Without a pod: podman itself mounts /tmp and /run, with what the image has there."""
    image = pod()["containers"][0]["image"]
    done = podman.run("run", "--rm", "--read-only", image, "sh", "-c", "exit 7")
    assert done.status == 7, done.err


class Pod:
    """Where a viewer finds the pod."""

    def __init__(self, port: int) -> None:
        self.port = port
