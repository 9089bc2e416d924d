"""Invoicing: drafts, lines, totals, and the steps from a draft to a paid invoice."""

from tollkey.payments.invoices import drafts, dunning, invoiceitems, jobs, lifecycle, line_terms, lines, payments

__all__ = ["drafts", "dunning", "invoiceitems", "jobs", "lifecycle", "line_terms", "lines", "payments"]
