"""The team of an account: members, roles, invitations, transfer of ownership."""

from __future__ import annotations

from tollkey.dashboard import activity, people, roles
from tollkey.dashboard.naming import person_names
from tollkey.dashboard.page import (
    Answer,
    Confirmation,
    Context,
    FormErrors,
    Nav,
    NotFound,
    Page,
    Params,
    Redirect,
    Render,
    not_required,
    required,
)
from tollkey.dashboard.people import Member


def _assignable(ctx: Context) -> list[tuple[str, str]]:
    assert ctx.member is not None
    return [(role.name, role.label) for role in ctx.product.roles if roles.may_assign(ctx.member.role, role.name)]


def _may_assign(ctx: Context, role: str) -> bool:
    return any(name == role for name, _ in _assignable(ctx))


def _record(ctx: Context, action: str, about: str, **details: str) -> None:
    activity.record(ctx.tx, ctx, ctx.team, action, about=about, **details)


def _member(ctx: Context, params: Params) -> Member:
    found = people.member(ctx.tx, ctx.team, params["person"])
    if found is None:
        raise NotFound
    return found


def index(ctx: Context, params: Params) -> Answer:
    """List members and pending invitations."""
    pending = people.invitations(ctx.tx, ctx.team, ctx.now) if ctx.may("team.change") else []
    about = {
        "members": people.members(ctx.tx, ctx.team),
        "invitations": pending,
        "names": person_names(ctx.tx, [one.created_by for one in pending]),
        "labels": roles.LABELS,
    }
    return Render("team/index.html", about)


def invite_form(ctx: Context, params: Params) -> Answer:
    """Show the invitation form."""
    return Render("team/invite.html", {"roles": ctx.product.roles})


def invite(ctx: Context, params: Params) -> Answer:
    """Create an invitation and show its link once."""
    base = ctx.public_url()
    role = params.get("role")
    if not _may_assign(ctx, role):
        raise FormErrors(role="Choose a role.")
    made, token = people.invite(
        ctx.tx,
        ctx.authority.keyring,
        ctx.ids,
        account=ctx.team,
        role=role,
        email=params.get("email"),
        by=ctx.me.id,
        now=ctx.now,
    )
    _record(ctx, "member_invited", made.id, email=made.email, role=role)
    return Render(
        "team/invited.html", {"invitation": made, "link": f"{base}/join/{token}", "label": roles.LABELS[role]}
    )


def confirm_revoke(ctx: Context, params: Params) -> Confirmation:
    """The confirmation for revoking an invitation."""
    found = next((one for one in people.invitations(ctx.tx, ctx.team, ctx.now) if one.id == params["invitation"]), None)
    if found is None:
        raise NotFound
    return Confirmation("Revoke invitation", f"The invitation link for {found.email} will stop working.")


def revoke(ctx: Context, params: Params) -> Answer:
    """Revoke an invitation."""
    if not people.revoke_invitation(ctx.tx, ctx.team, params["invitation"]):
        raise NotFound
    _record(ctx, "invitation_withdrawn", params["invitation"])
    return Redirect(ctx.url("/settings/team"), "The invitation was revoked. Its link no longer works.")


def member_form(ctx: Context, params: Params) -> Answer:
    """Show the form for a member's role and removal."""
    found = _member(ctx, params)
    if found.role == roles.OWNER:
        raise FormErrors({"": "The owner cannot be changed or removed. Transfer ownership first."})
    return Render("team/member.html", {"one": found, "assignable": _assignable(ctx)})


def set_role(ctx: Context, params: Params) -> Answer:
    """Change a member's role."""
    found, role = _member(ctx, params), params.get("role")
    if not _may_assign(ctx, role):
        raise FormErrors({"": "Choose a role."})
    people.set_role(ctx.tx, ctx.team, found.person, role)
    _record(ctx, "role_changed", found.person, was=found.role, became=role)
    return Redirect(ctx.url("/settings/team"), f"The role of {found.name} is now {roles.LABELS[role]}.")


def confirm_remove(ctx: Context, params: Params) -> Confirmation | None:
    """The confirmation for removing a member; none for the owner, whose removal is refused anyway."""
    found = _member(ctx, params)
    if found.role == roles.OWNER:
        return None
    return Confirmation("Remove member", f"{found.name} will lose access to {ctx.product.reach} immediately.")


def remove(ctx: Context, params: Params) -> Answer:
    """Remove a member."""
    found = _member(ctx, params)
    people.remove(ctx.tx, ctx.team, found.person)
    _record(ctx, "member_removed", found.person, email=found.email, role=found.role)
    return Redirect(
        "/" if found.person == ctx.me.id else ctx.url("/settings/team"), f"{found.name} is no longer a member."
    )


def transfer_form(ctx: Context, params: Params) -> Answer:
    """Show the form for the new owner."""
    others = [one for one in people.members(ctx.tx, ctx.team) if one.role != roles.OWNER]
    return Render("team/owner.html", {"others": [(one.person, f"{one.name} ({one.email})") for one in others]})


def confirm_transfer(ctx: Context, params: Params) -> Confirmation:
    """The confirmation for transferring ownership."""
    new = people.member(ctx.tx, ctx.team, params.get("person"))
    if new is None or new.role == roles.OWNER:
        raise FormErrors(person="Choose a member of this account.")
    text = (
        f"{new.name} ({new.email}) will become the owner and you will become an administrator. "
        f"Only the new owner can transfer ownership back to you."
    )
    return Confirmation("Transfer ownership", text)


def transfer(ctx: Context, params: Params) -> Answer:
    """Transfer ownership; the former owner becomes an administrator."""
    people.transfer(ctx.tx, ctx.team, params.get("person"))
    _record(ctx, "ownership_transferred", params.get("person"))
    return Redirect(ctx.url("/settings/team"), "Ownership was transferred. You are now an administrator.")


def matrix(ctx: Context, params: Params) -> Answer:
    """Show which role may do what."""
    groups: dict[str, list[roles.Action]] = {}
    for action in filter(ctx.product.shows, roles.ACTIONS.values()):
        groups.setdefault(action.group, []).append(action)
    return Render("team/roles.html", {"groups": groups, "roles": ctx.product.roles})


_GIVES_ACCESS = required("an invitation gives somebody else access")
_CHANGES_ACCESS = required("it changes a person's access")

PAGES = (
    Page("/settings/team", index, action="team.see", scope="account", nav=Nav("Account", "Team", 10)),
    Page("/settings/team/invite", invite_form, action="team.change", scope="account", recent_sign_in=_GIVES_ACCESS),
    Page(
        "/settings/team/invite",
        invite,
        method="POST",
        action="team.change",
        scope="account",
        recent_sign_in=_GIVES_ACCESS,
        redisplay=invite_form,
    ),
    Page(
        "/settings/team/invitations/{invitation}/withdraw",
        revoke,
        method="POST",
        action="team.change",
        scope="account",
        confirmation=confirm_revoke,
        recent_sign_in=not_required("it only removes access, and can be undone by another invitation"),
    ),
    Page("/settings/team/{person}", member_form, action="team.change", scope="account", recent_sign_in=_CHANGES_ACCESS),
    Page(
        "/settings/team/{person}/role",
        set_role,
        method="POST",
        action="team.change",
        scope="account",
        recent_sign_in=_CHANGES_ACCESS,
        redisplay=index,
    ),
    Page(
        "/settings/team/{person}/remove",
        remove,
        method="POST",
        action="team.change",
        scope="account",
        recent_sign_in=_CHANGES_ACCESS,
        redisplay=index,
        confirmation=confirm_remove,
    ),
    Page(
        "/settings/team/owner", transfer_form, action="owner.transfer", scope="account", recent_sign_in=_CHANGES_ACCESS
    ),
    Page(
        "/settings/team/owner",
        transfer,
        method="POST",
        action="owner.transfer",
        scope="account",
        recent_sign_in=_CHANGES_ACCESS,
        redisplay=transfer_form,
        confirmation=confirm_transfer,
    ),
    Page("/settings/roles", matrix, action="team.see", scope="account"),
)
