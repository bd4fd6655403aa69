"""What a host reads from its account: settings from the parameter store, secrets from Secrets Manager.

    host_settings.py env FILE --parameter NAME… --secret NAME…    one file of NAME='value' lines; a later source wins
    host_settings.py files DIR --secret NAME                      each entry of the secret as a file of its name
    host_settings.py text FILE --parameter NAME                   a parameter as a file

A parameter holds NAME=value lines, a secret a JSON object of strings. Files are replaced as a whole and are readable by
their owner only; `--owner USER` names another than who calls. Region, address and credentials are boto3's own search
(AWS_REGION, the host's role). Exit status: 0 done, 1 refused or wrong, 2 usage. No value is ever printed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

_CONFIG = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 8})
_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_FILE = re.compile(r"[a-z0-9][a-z0-9.-]*")


class Wrong(Exception):
    """What is stored cannot be used. Its text names where, never what."""


def client(service: str) -> Any:
    return boto3.client(service, config=_CONFIG)


def parameters(names: Iterable[str]) -> dict[str, str]:
    """The value of each parameter. Raises Wrong for one that is not there."""
    answer = client("ssm").get_parameters(Names=list(names))
    if answer["InvalidParameters"]:
        raise Wrong(f"there is no parameter {', '.join(sorted(answer['InvalidParameters']))}")
    return {each["Name"]: each["Value"] for each in answer["Parameters"]}


def secret(name: str) -> dict[str, str]:
    """The entries of a secret."""
    try:
        found = json.loads(client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise Wrong(f"the secret {name} is no JSON object of strings")
    return found


def lines_of(text: str, where: str) -> dict[str, str]:
    """NAME=value lines; empty ones and those that begin with # say nothing."""
    found = {}
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, is_pair, value = line.strip().partition("=")
        if not is_pair:
            raise Wrong(f"{where} has a line without =")
        found[name] = value
    return found


def environment(entries: Mapping[str, str]) -> str:
    """The file, which systemd and `namsite/settings.py` read alike. Raises Wrong for what they would not."""
    for name, value in entries.items():
        if not _NAME.fullmatch(name) or not value.isprintable() or "'" in value or "\\" in value or value[:1] == "$":
            raise Wrong(
                f"the setting {name if _NAME.fullmatch(name) else '?'} cannot be written into a file of settings"
            )
    return "".join(f"{name}='{value}'\n" for name, value in sorted(entries.items()))


def write(file: Path, text: str, owner: str) -> None:
    """Replaces a file; nobody else can read it at any moment."""
    handle, scratch = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    if owner:
        shutil.chown(scratch, owner, owner)
    Path(scratch).replace(file)


def write_environment(file: Path, names: list[str], secrets: list[str], owner: str) -> None:
    entries: dict[str, str] = {}
    found = parameters(names) if names else {}
    for name in names:
        entries |= lines_of(found[name], name)
    for name in secrets:
        entries |= secret(name)
    write(file, environment(entries), owner)


def write_files(folder: Path, name: str, owner: str) -> None:
    entries = secret(name)
    if not all(_FILE.fullmatch(each) for each in entries):
        raise Wrong(f"the secret {name} has an entry that is no name of a file")
    for each, text in entries.items():
        write(folder / each, text, owner)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Writes what a host reads from its account.")
    parser.add_argument("kind", choices=("env", "files", "text"))
    parser.add_argument("place", type=Path)
    parser.add_argument("--parameter", action="append", default=[])
    parser.add_argument("--secret", action="append", default=[])
    parser.add_argument("--owner", default="")
    chosen = parser.parse_args()
    counts = (len(chosen.parameter), len(chosen.secret))
    if {"env": sum(counts) == 0, "files": counts != (0, 1), "text": counts != (1, 0)}[chosen.kind]:
        parser.error("not these sources for this kind")
    return chosen


def main() -> int:
    chosen = arguments()
    try:
        if chosen.kind == "env":
            write_environment(chosen.place, chosen.parameter, chosen.secret, chosen.owner)
        elif chosen.kind == "files":
            write_files(chosen.place, chosen.secret[0], chosen.owner)
        else:
            write(chosen.place, parameters(chosen.parameter)[chosen.parameter[0]] + "\n", chosen.owner)
    except ClientError as error:
        print(f"host_settings: AWS refuses ({error.response.get('Error', {}).get('Code', 'unknown')})", file=sys.stderr)
        return 1
    except (BotoCoreError, LookupError, OSError, Wrong) as error:
        print(f"host_settings: {error if isinstance(error, Wrong) else type(error).__name__}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
