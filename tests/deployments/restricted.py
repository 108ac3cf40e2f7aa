"""The restricted profile of the pod security standards, as rules about a pod's `spec`.

https://kubernetes.io/docs/concepts/security/pod-security-standards/: the restricted profile and the
baseline below it. Windows, and what only a node's administrator can allow, is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

Part = Mapping[str, Any]
VOLUMES: Final = {
    *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral"),
    *("persistentVolumeClaim", "projected", "secret"),
}
CONTAINERS: Final = ("initContainers", "containers", "ephemeralContainers")
HANDLERS: Final = ("livenessProbe", "readinessProbe", "startupProbe")
SECCOMP: Final = ("RuntimeDefault", "Localhost")


def violations(spec: Part) -> list[str]:
    """What of a pod the profile forbids; each by the field that is wrong."""
    found = [name for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name)]
    for volume in spec.get("volumes", ()):
        found += [f"volumes {kind}" for kind in volume if kind not in {"name", *VOLUMES}]
    whole = spec.get("securityContext", {})
    found += [
        f"securityContext {name}" for name in ("sysctls", "seLinuxOptions") if whole.get(name)
    ]
    if whole.get("runAsUser") == 0:
        found.append("securityContext runAsUser")
    for kind in CONTAINERS:
        for container in spec.get(kind, ()):
            found += [f"{container['name']} {field}" for field in _of_container(container, whole)]
    return found


def _of_container(container: Part, pod: Part) -> Iterator[str]:
    own: Part = container.get("securityContext", {})
    capabilities = own.get("capabilities", {})
    # Field → whether it is as it must be. What a container does not say, its pod says.
    rules: dict[str, Callable[[], bool]] = {
        "privileged": lambda: not own.get("privileged"),
        "allowPrivilegeEscalation": lambda: own.get("allowPrivilegeEscalation") is False,
        "runAsNonRoot": lambda: own.get("runAsNonRoot", pod.get("runAsNonRoot")) is True,
        "runAsUser": lambda: own.get("runAsUser") != 0,
        "capabilities drop": lambda: "ALL" in capabilities.get("drop", ()),
        "capabilities add": lambda: set(capabilities.get("add", ())) <= {"NET_BIND_SERVICE"},
        "seccompProfile": lambda: (
            own.get("seccompProfile", pod.get("seccompProfile", {})).get("type") in SECCOMP
        ),
        "procMount": lambda: own.get("procMount", "Default") == "Default",
        "seLinuxOptions": lambda: not own.get("seLinuxOptions"),
        "hostPort": lambda: not any(each.get("hostPort") for each in container.get("ports", ())),
        "probe host": lambda: (
            not any(
                handler.get("host")
                for name in HANDLERS
                for handler in container.get(name, {}).values()
                if isinstance(handler, Mapping)
            )
        ),
    }
    return (field for field, holds in rules.items() if not holds())
