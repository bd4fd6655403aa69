"""What can go wrong with a secret. Every text here is a fixed, plain sentence: no value, no file name, no key bytes."""

from __future__ import annotations


class VaultError(Exception):
    """Something sealed cannot be opened, or something cannot be sealed. Nothing is ever returned in its place."""

    retryable = False


class MisconfiguredVault(VaultError):
    """The keys or the place of the files are missing or malformed. An administrator has to look at the settings."""


class MissingFile(VaultError):
    """There is no file of this name, or its key was destroyed."""


class VaultUnavailable(VaultError):
    """A service that the vault needs (KMS, S3, the disk) does not answer. The same call may succeed later."""

    retryable = True
