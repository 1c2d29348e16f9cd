"""A new version of a product: its files and what is new, looked at before it is there."""

from typing import Any

from flask import Response, current_app, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from handsel.kit.errors import BadInputError, ConflictError, NotFoundError
from handsel.kit.markdown import render_markdown
from handsel.kit.text import human_size
from handsel.ops import releasing, shelving
from handsel.ops.releasing import Plan, Wanted
from handsel.sales import catalogue
from handsel.sales.releases import NewRelease
from handsel.web.admin import product_form
from handsel.web.admin.desk import audited, desk, done
from handsel.web.admin.product_form import Form
from handsel.web.admin.products import chosen_uploads, use_up
from handsel.web.admin.tray import on_tray
from handsel.web.pages import page, the_shop


@desk.get("/products/<slug>/release")
def release(slug: str) -> Response:
    """Ask for the files and for what is new."""
    return form_of(slug, Form({}))


def form_of(slug: str, form: Form, status: int = 200) -> Response:
    """Show the form of a new version, as far as it was filled."""
    with the_shop().reading() as session:
        found = catalogue.get(session, slug)
    notes = render_markdown(form.values.get("notes", ""))
    return page(
        "admin/release.html",
        status,
        product={
            "slug": slug,
            "name": found.name,
            "version": found.releases[-1].version,
        },
        form=form,
        notes_html=Markup(notes),  # noqa: S704  # safe by kit.markdown
        **on_tray(form.upload),
    )


@desk.post("/products/<slug>/release")
def bring_out(slug: str) -> AnyResponse:
    """Show what a version would change; once that was seen, make it so."""
    shop = the_shop()
    form = product_form.typed(request.form, {})
    if request.form.get("do") == "back":
        return form_of(slug, form)
    if wrong := product_form.unsent(request.form):
        return form_of(slug, product_form.typed(request.form, wrong), 422)
    try:
        wanted = _wanted(slug)
        plan = releasing.plan(shop, wanted)
        if request.form.get("do") != "publish":
            return _plan(plan, wanted, form)
        releasing.publish(
            shop,
            wanted,
            mail=False,
            witness=lambda session: audited(
                session, "release.published", slug, version=wanted.new.version
            ),
        )
    except (BadInputError, ConflictError, NotFoundError) as error:
        form.errors[""] = error.plain
        return form_of(slug, form, error.status)
    use_up(shop, chosen_uploads(shop))
    words = f"Version {wanted.new.version} is there for everybody who bought it."
    return done("desk.product", words, slug=slug)


def _wanted(slug: str) -> Wanted:
    notes = product_form.as_kept(request.form.get("notes", ""))
    new = NewRelease(
        shelving.check_version(request.form.get("version", "")),
        notes[: product_form.LONGEST],
        replace=bool(request.form.get("replace")),
    )
    files = chosen_uploads(the_shop())
    if not files:
        raise BadInputError("No file is ticked.", "Send the new ones, and tick them.")
    return Wanted(slug, files, new)


def _plan(plan: Plan, wanted: Wanted, form: Form) -> Response:
    there = "desk.updates" in current_app.view_functions
    return page(
        "admin/release_plan.html",
        product={"slug": plan.product.slug, "name": plan.product.name},
        version=wanted.new.version,
        there_already=plan.release is not None,
        comes=[_coming(new, old) for new, old in plan.shelf.comes],
        stays=[each.name for each in plan.shelf.stays],
        goes=[each.name for each in plan.shelf.goes],
        notes_html=Markup(render_markdown(wanted.new.notes)),  # noqa: S704  # safe by kit.markdown
        recipients=plan.reach.recipients,
        left_out=plan.reach.left_out,
        updates_url=url_for("desk.updates") if there else "",
        fields=[
            (name, value)
            for name, value in request.form.items(multi=True)
            if name not in ("form_token", "do", "file")
        ],
    )


def _coming(new: Any, old: Any) -> dict[str, str]:
    replaced = old.name if old and old.name != new.name else ""
    return {"name": new.name, "size": human_size(new.size), "replaces": replaced}
