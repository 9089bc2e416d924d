"""The keys as a service over HTTP: verification, introspection, changes and management. Needs the extra ``server``."""

from tollkey.keys.http.app import KeyServer
from tollkey.keys.http.callers import SERVICE_PERMISSIONS
from tollkey.keys.key import SERVICE_ACCOUNT

__all__ = ["SERVICE_ACCOUNT", "SERVICE_PERMISSIONS", "KeyServer"]
