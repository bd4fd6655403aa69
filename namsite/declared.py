"""What the pages of allauth and of the API's own documentation leave in the journal: they are not ours to decorate."""

from __future__ import annotations

from audit.declared import Declaration
from audit.verbs import Verb

_FORM = Declaration(reason="a form without health information; what is done with it is journalled by a signal")
_NOTHING = Declaration(reason="nothing but words of the interface")
_OWN_ACCOUNT = Declaration(reason="the person's own second factor")
_SCHEMA = Declaration(reason="what the API offers, for everybody the same")

FOREIGN: dict[str, Declaration] = {
    "account_login": Declaration(verbs=frozenset({Verb.LOGIN_OK, Verb.LOGIN_FAILED})),
    "account_logout": Declaration(verbs=frozenset({Verb.LOGOUT})),
    "account_change_password": Declaration(verbs=frozenset({Verb.PASSWORD_CHANGED})),
    "account_set_password": Declaration(verbs=frozenset({Verb.PASSWORD_CHANGED})),
    "account_reset_password_from_key": Declaration(verbs=frozenset({Verb.PASSWORD_CHANGED})),
    "account_reset_password": _FORM,
    "account_reauthenticate": _FORM,
    "account_confirm_login_code": _FORM,
    "account_inactive": _NOTHING,
    "account_signup": _NOTHING,
    "account_email": _NOTHING,
    "account_email_verification_sent": _NOTHING,
    "account_confirm_email": _NOTHING,
    "account_reset_password_done": _NOTHING,
    "account_reset_password_from_key_done": _NOTHING,
    "mfa_index": _OWN_ACCOUNT,
    "mfa_authenticate": _OWN_ACCOUNT,
    "mfa_reauthenticate": _OWN_ACCOUNT,
    "mfa_activate_totp": _OWN_ACCOUNT,
    "mfa_deactivate_totp": _OWN_ACCOUNT,
    "mfa_view_recovery_codes": _OWN_ACCOUNT,
    "mfa_generate_recovery_codes": _OWN_ACCOUNT,
    "mfa_download_recovery_codes": _OWN_ACCOUNT,
    "mfa_add_webauthn": Declaration(verbs=frozenset({Verb.SECOND_FACTOR_ADDED})),
    "mfa_list_webauthn": _OWN_ACCOUNT,
    "mfa_edit_webauthn": _OWN_ACCOUNT,
    "mfa_remove_webauthn": Declaration(verbs=frozenset({Verb.SECOND_FACTOR_REMOVED})),
    "mfa_login_webauthn": Declaration(verbs=frozenset({Verb.LOGIN_OK, Verb.LOGIN_FAILED})),
    "mfa_reauthenticate_webauthn": Declaration(verbs=frozenset({Verb.REAUTHENTICATED})),
    "openapi-json": _SCHEMA,
    "openapi-view": _SCHEMA,
    "api-root": _SCHEMA,
}
"""By the address's name."""
