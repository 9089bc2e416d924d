"""The providers of processors that are built in: each module has its ``PROVIDER``. There is no list of them."""

__all__: list[str] = []
