"""Least privilege: which permissions a key needed, the smallest set that has them, and what that set would refuse.

``proposal_of`` reads what was counted and makes a proposal of it, ``apply`` and ``undo`` change the key. A
``KeyService`` has ``least_privilege``, ``tighten`` and ``undo_tightening``.
"""

from tollkey.keys.observing.applying import MIGRATION, Tightening, apply, latest, undo
from tollkey.keys.observing.methods import LeastPrivilege
from tollkey.keys.observing.needs import Need, joined
from tollkey.keys.observing.proposing import Proposal, proposal_of, refused_by

__all__ = [
    "MIGRATION",
    "LeastPrivilege",
    "Need",
    "Proposal",
    "Tightening",
    "apply",
    "joined",
    "latest",
    "proposal_of",
    "refused_by",
    "undo",
]
