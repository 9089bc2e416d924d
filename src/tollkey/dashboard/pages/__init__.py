"""The pages. Each module may define ``PAGES``; see ``dashboard/app.py``."""
