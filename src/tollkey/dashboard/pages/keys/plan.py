"""The plan of an account: what its keys may use. Plans are declared in the configuration."""

from __future__ import annotations

from tollkey.dashboard.for_keys import service_of
from tollkey.dashboard.page import Answer, Context, FormErrors, Nav, Page, Params, Redirect, Render, required


def index(ctx: Context, params: Params) -> Answer:
    """Show the plan of an account, and all plans with their limits."""
    keys = service_of(ctx.product)
    about = {
        "plan": keys.plan_in(ctx.tx, ctx.scope),
        "default": keys.config.default_plan,
        "plans": [(plan.name, [str(limit) for limit in plan.limits]) for plan in keys.config.plans],
        "limits": [str(limit) for limit in keys.config.limits],
    }
    return Render("plan/index.html", about)


def change(ctx: Context, params: Params) -> Answer:
    """Set the plan of an account in this mode."""
    name = params.get("plan")
    if not name:
        raise FormErrors(plan="Choose a plan.")
    service_of(ctx.product).set_plan_in(ctx.tx, ctx.scope, name, ctx.now, ctx.actor)
    return Redirect(ctx.url("/plan"), f"The plan of {ctx.account} is now {name}.")


PAGES = (
    Page("/plan", index, action="plan.see", nav=Nav("Developers", "Plan", 30)),
    Page(
        "/plan",
        change,
        method="POST",
        action="plan.change",
        redisplay=index,
        recent_sign_in=required("it changes what a customer may use"),
    ),
)
