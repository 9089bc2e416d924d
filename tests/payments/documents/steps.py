"""Steps that several tests of documents share."""

from __future__ import annotations

from io import BytesIO

from pypdf import PdfReader


def text_of(pdf: bytes) -> str:
    """All text of a PDF, each piece on a line of its own."""
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


def line_of(pdf: bytes, *texts: str) -> bool:
    """Whether these texts follow one another in a PDF."""
    return "\n".join(texts) in text_of(pdf).replace(" \n", "\n")
