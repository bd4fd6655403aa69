"""PDFs for tests that need no corpus, and no Django."""

from __future__ import annotations

import io

from reportlab.pdfgen import canvas


def agenda_pdf(*pages: list[str]) -> bytes:
    """A born-digital PDF: each page a list of lines of text."""
    buffer = io.BytesIO()
    drawing = canvas.Canvas(buffer, pagesize=(612, 792), invariant=1)
    for lines in pages:
        drawing.setFont("Helvetica", 11)
        for row, line in enumerate(lines):
            drawing.drawString(60, 720 - 18 * row, line)
        drawing.showPage()
    drawing.save()
    return buffer.getvalue()
