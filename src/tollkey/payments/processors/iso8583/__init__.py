"""A processor that speaks ISO 8583 with an acquirer's host, over one TCP link.

    Authorize ‥ Refund ──messages──▶ fields ──codec──▶ bytes ──link──▶ host
    host ──▶ bytes ──codec──▶ fields ──answers──▶ Approved │ Declined │ Unknown

What an acquirer does in its own way (fields, lengths, encodings, message types, answers) is a dialect, which is a file.
"""

__all__: list[str] = []
