"""The vault: what stays secret. It has no tables of its own and imports none of our other packages."""

from __future__ import annotations

from django.apps import AppConfig


class VaultConfig(AppConfig):
    name = "vault"
    verbose_name = "Vault"
