"""Adapters for web frameworks: ``fastapi``, ``starlette``, ``flask``, ``django``, ``rest_framework``.

Each module needs its framework and is imported by its own name:
``from tollkey.keys.adapters.fastapi import ApiKeys``. Other applications use ``tollkey.keys.asgi.KeyGate``
or ``tollkey.keys.wsgi.KeyGate``.
"""

__all__: list[str] = []
