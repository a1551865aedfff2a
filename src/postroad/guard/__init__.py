"""Guard: masks, the vault of personal data, who may do what, and the log of who read what."""

from postroad.guard.audit import AuditLog, Entry
from postroad.guard.grants import Grant, Role, may_see, roles
from postroad.guard.keys import KeyRing
from postroad.guard.masking import mask_address, mask_name, mask_party, mask_phone
from postroad.guard.party import Party
from postroad.guard.patterns import Patterns, Unusual
from postroad.guard.vault import Vault

__all__ = [
    "AuditLog",
    "Entry",
    "Grant",
    "KeyRing",
    "Party",
    "Patterns",
    "Role",
    "Unusual",
    "Vault",
    "mask_address",
    "mask_name",
    "mask_party",
    "mask_phone",
    "may_see",
    "roles",
]
