"""How a profile is started: the command, its environment, and the systemd unit that does the same.

Contract
- The server is vLLM's OpenAI-compatible one, as a module: the `vllm` command of the CPU build does not start.
- It sees the variables that are set here and a few of the machine's (`PASSED`), and no other: keys and addresses of the
  web application are none of its business.
- No prompt, answer, adapter upload or usage figure leaves the process by a log line, a development route or a report
  (vLLM 0.32, `vllm/envs.py`, `vllm/entrypoints/launchers/cli_args.py`).
- The API key is in the environment only, where other users of the host cannot read it. It guards nothing but /v1: what
  other hosts may reach is for deploy/nginx/model-server.conf to say.
"""

from __future__ import annotations

import ipaddress
import math
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from string import Template

from extraction.llm import endpoints
from extraction.llm.profiles import GIB, Profile

MODULE = "vllm.entrypoints.openai.api_server"
PASSED = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "XDG_CACHE_HOME",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "CUDA_HOME",
    "CUDA_VISIBLE_DEVICES",
    "OMP_NUM_THREADS",
    "VLLM_CACHE_ROOT",
    "VLLM_CPU_OMP_THREADS_BIND",
)
"""What the server takes over from the environment it is started in."""

PLACEHOLDER = '"$LLM_API_KEY"'
"""What is printed in place of the key: a shell that has the variable puts it in."""

# A neighbourhood whose hosts may reach the server, where its true size is not known from the address alone.
_PREFIX = {4: 24, 6: 64}
_GPU_HOST_GIB, _HOST_GIB_A_GPU = 8, 4
"""The host's own memory: an assumption. The page cache, through which weights are read, can be given back."""


class RefusedAddress(ValueError):
    """The server must not listen there. Its text is one plain sentence."""


@dataclass(frozen=True, slots=True)
class Launch:
    """One server to be started. Paths are absolute; `adapters` are folders by the names they are asked for."""

    profile: Profile
    python: str
    model_dir: str
    host: str = "127.0.0.1"
    port: int = 8000
    adapters: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_local(self) -> bool:
        """Whether only this host can reach it."""
        return ipaddress.ip_address(self.host).is_loopback


def check_host(host: str) -> str:
    """The address to listen at in its usual form. Raises RefusedAddress for any that is not loopback or private."""
    try:
        address = ipaddress.ip_address(endpoints.plain_host(host))
    except ValueError:
        raise RefusedAddress("The model server listens at an IP address, such as 127.0.0.1, not at a name.") from None
    if not endpoints.is_private(str(address)):
        raise RefusedAddress(
            "The model server listens at a loopback or private address only, never at a public one or at all of them."
        )
    return str(getattr(address, "ipv4_mapped", None) or address)


def settings_of(launch: Launch) -> dict[str, str]:
    """The environment variables that a profile sets, without the key."""
    variables = {
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "HF_HUB_OFFLINE": "1",
        "VLLM_LOGGING_LEVEL": "WARNING",
        # The engine's own processes meet on this host; vLLM would otherwise take the address that leads outside.
        "VLLM_HOST_IP": "127.0.0.1",
        # A folder that happens to be the working directory holds no module of the server.
        "PYTHONSAFEPATH": "1",
        # Every question has a schema of its own (finders/choices.py): kept for later, they would only fill 512 MB.
        "VLLM_XGRAMMAR_CACHE_MB": "16",
    }
    if launch.profile.on_cpu:
        variables["VLLM_CPU_KVCACHE_SPACE"] = str(launch.profile.cache_gib)
        # By itself it keeps a core for its scheduler: on two cores, half of what computes.
        variables["VLLM_CPU_NUM_OF_RESERVED_CPU"] = "0"
        # What makes vLLM leave the engine and its only worker in one process (_device_options).
        variables["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"
        # What it compiles ahead of time it cannot load again (vllm-cpu 0.32.0: "no attribute 'finalize_loading'"), and
        # compiles anew at every start; the older cache it can.
        variables["VLLM_USE_AOT_COMPILE"] = "0"
    else:
        # As nvidia-smi counts them, whose reading was compared with the need.
        variables["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
    if launch.profile.device.count > 1:
        variables |= {"NCCL_SOCKET_IFNAME": "lo", "GLOO_SOCKET_IFNAME": "lo"}
    return variables


def environment(launch: Launch, *, api_key: str, around: Mapping[str, str]) -> dict[str, str]:
    """All that the server sees. `around` is the environment that the command itself was started in."""
    passed = {name: around[name] for name in PASSED if name in around}
    key = {"VLLM_API_KEY": api_key} if api_key else {}
    return passed | settings_of(launch) | key


def command(launch: Launch) -> list[str]:
    """The program and its arguments."""
    profile = launch.profile
    return [
        *(launch.python, "-m", MODULE),
        *("--model", launch.model_dir),
        *("--served-model-name", profile.model),
        *("--host", launch.host),
        *("--port", str(launch.port)),
        *("--dtype", profile.dtype),
        *("--max-model-len", str(profile.context)),
        *("--max-num-seqs", str(profile.sequences)),
        *_device_options(profile),
        *("--generation-config", "vllm"),
        *("--structured-outputs-config", '{"backend":"auto"}'),
        "--no-enable-log-requests",
        *("--max-log-len", "0"),
        "--disable-uvicorn-access-log",
        "--disable-fastapi-docs",
        *_adapter_options(launch),
    ]


def printed(launch: Launch) -> str:
    """The same for a shell: a variable or an option a line, and a placeholder for the key."""
    lines = [f"{name}={shlex.quote(value)}" for name, value in settings_of(launch).items()]
    lines.append(f"VLLM_API_KEY={PLACEHOLDER}")
    program, *options = _by_option(command(launch))
    return " \\\n".join([*lines, program, *(f"  {option}" for option in options)])


def unit(launch: Launch, *, verified: bool) -> str:
    """The systemd unit. `verified`: the folder has checksums, which are compared before every start."""
    profile, devices = launch.profile, launch.profile.device.count
    on_host = math.ceil(profile.need(len(launch.adapters)).total * 1.25 / GIB)
    memory = on_host if profile.on_cpu else _GPU_HOST_GIB + _HOST_GIB_A_GPU * devices
    program, *options = _by_option(command(launch), quote=_in_command)
    return _UNIT.substitute(
        name=profile.name,
        model_dir=launch.model_dir.replace("%", "%%"),
        variables="\n".join(f"Environment={_in_unit(f'{n}={v}')}" for n, v in settings_of(launch).items()),
        verification=_VERIFICATION if verified else "",
        command=" \\\n    ".join([program, *options]),
        read_only=" ".join(_in_unit(folder) for folder in (launch.model_dir, *launch.adapters.values())),
        addresses=" ".join(_neighbours(launch)),
        devices="PrivateDevices=yes" if profile.on_cpu else _GPU_DEVICES,
        memory=memory,
    )


def _device_options(profile: Profile) -> list[str]:
    if profile.on_cpu:
        # Only whole blocks are kept from one question to the next, and by itself a processor takes such of 128 tokens,
        # which is more than the constant beginning of a small model's prompt.
        # In two processes, the engine waits for its worker by spinning, on a core that the worker would compute with.
        return ["--block-size", "32", "--distributed-executor-backend", "uni"]
    options = ["--gpu-memory-utilization", f"{profile.memory_share:.2f}"]
    if profile.device.count > 1:
        options += ["--tensor-parallel-size", str(profile.device.count)]
    return options


def _adapter_options(launch: Launch) -> list[str]:
    if not launch.adapters:
        return []
    return [
        "--enable-lora",
        *("--max-loras", str(len(launch.adapters))),
        *("--max-lora-rank", str(launch.profile.adapter_rank)),
        *("--lora-modules", *(f"{name}={folder}" for name, folder in launch.adapters.items())),
    ]


def _by_option(words: Sequence[str], quote: Callable[[str], str] = shlex.quote) -> list[str]:
    """The program with its module, then each option with its values, every word quoted."""
    lines = [[quote(word) for word in words[:3]]]
    for word in words[3:]:
        if word.startswith("--"):
            lines.append([])
        lines[-1].append(quote(word))
    return [" ".join(line) for line in lines]


def _in_unit(word: str) -> str:
    """A word as systemd reads it back where it reads a list (systemd.syntax(7); systemd.unit(5), "Specifiers")."""
    doubled = word.replace("%", "%%")
    if re.fullmatch(r"[\w@%+=:,./$-]+", doubled):
        return doubled
    escaped = doubled.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _in_command(word: str) -> str:
    """The same in a command line, where a dollar sign would begin a variable (systemd.service(5), "Command lines")."""
    return _in_unit(word.replace("$", "$$"))


def _neighbours(launch: Launch) -> list[str]:
    """The addresses that packets may come from and go to: this host, and the network around the address."""
    if launch.is_local:
        return ["localhost"]
    address = ipaddress.ip_address(launch.host)
    return ["localhost", str(ipaddress.ip_network((address, _PREFIX[address.version]), strict=False))]


_VERIFICATION = "ExecStartPre=/usr/bin/sha256sum --check --quiet --strict SHA256SUMS\n"

_GPU_DEVICES = """# The GPUs, and no other device.
DevicePolicy=closed
DeviceAllow=char-nvidia* rw"""

_UNIT = Template("""\
# The model server. Printed by `manage.py serve_llm $name --systemd`; print it anew when the profile changes.
# /etc/namsite/model-server.env holds one line, VLLM_API_KEY=…, and is readable by root only (mode 0600).
[Unit]
Description=NAM finder, model server ($name)
After=network-online.target
Wants=network-online.target

[Service]
User=namsite-model
Group=namsite-model
WorkingDirectory=$model_dir
Environment=HOME=/var/lib/namsite-model
$variables
EnvironmentFile=/etc/namsite/model-server.env
${verification}ExecStart=$command
Restart=always
RestartSec=5
# Weights are compared with their checksums and loaded, which takes minutes.
TimeoutStartSec=infinity

NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
ReadOnlyPaths=$read_only
$devices
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
PrivateMounts=yes
RemoveIPC=yes
RestrictRealtime=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
# Where the true network is smaller or larger than this, write it here.
IPAddressDeny=any
IPAddressAllow=$addresses
RestrictNamespaces=yes
RestrictSUIDSGID=yes
LockPersonality=yes
CapabilityBoundingSet=
SystemCallArchitectures=native
SystemCallFilter=@system-service
StateDirectory=namsite-model
StateDirectoryMode=0700
UMask=0077
LimitCORE=0
MemoryMax=${memory}G

[Install]
WantedBy=multi-user.target
""")
