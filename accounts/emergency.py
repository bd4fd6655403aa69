"""Emergency access: who has it now, and for how long."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from accounts.models import EmergencyAccess, User

LASTS = timedelta(minutes=30)


def of(user: User, document_id: UUID) -> EmergencyAccess | None:
    """The person's access to the document that lasts now, or None."""
    mine = EmergencyAccess.objects.filter(user=user, document_id=document_id, ends_at__gt=timezone.now())
    return mine.order_by("-ends_at").first()
