"""Receiving files: in memory only, and never more than the limit."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import MemoryFileUploadHandler, StopUpload


class CappedMemoryUploadHandler(MemoryFileUploadHandler):
    """Keeps an upload in memory and hangs up beyond UPLOAD_MAX_BYTES.

    Django's own handlers would write large uploads to a temporary file: health information in clear text on a disk.
    """

    def handle_raw_input(self, *args: Any, **kwargs: Any) -> None:
        super().handle_raw_input(*args, **kwargs)
        self.activated = True
        self.received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        self.received += len(raw_data)
        if self.received > settings.UPLOAD_MAX_BYTES + 1024:
            # The view sees a file that is over the limit and says so in words.
            self.request.META["UPLOAD_TOO_LARGE"] = "1"  # type: ignore[union-attr]
            raise StopUpload(connection_reset=False)
        return super().receive_data_chunk(raw_data, start)
