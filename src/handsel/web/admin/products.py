"""Products at the desk: the list, one to be changed, a new one, on sale and off."""

from collections.abc import Sequence
from typing import Any

from flask import Response, abort, request, url_for
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from handsel.delivery.storage.uploads import Upload
from handsel.kit.errors import BadInputError, ConflictError, NotFoundError, ShopError
from handsel.kit.markdown import render_markdown
from handsel.kit.text import check_slug, human_size, slugify
from handsel.models import Product
from handsel.models.words import ProductStatus, TaxClass
from handsel.ops import pricing, removing, shelving
from handsel.ops.desk import products as listed
from handsel.sales import asking, catalogue, deleting
from handsel.sales.marks import ChangedMeanwhileError
from handsel.shop import Shop
from handsel.web.admin import product_form, written
from handsel.web.admin.desk import audited, confirmed, desk, done, row_number
from handsel.web.admin.product_form import NAMES, Form, Reader
from handsel.web.admin.tray import on_tray
from handsel.web.pages import page, the_shop
from handsel.web.showing import product_page

Changed = dict[str, tuple[str, str]]
"""Fields, with what they were and are."""


@desk.get("/products")
def products() -> Response:
    """List products; `status` chooses, `after` goes on."""
    said = request.args.get("status", "")
    status = ProductStatus(said) if said in set(ProductStatus) else None
    after = request.args.get("after", type=row_number)
    with the_shop().reading() as session:
        found = listed.shelf(session, the_shop(), status=status, after=after)
    onward = url_for("desk.products", status=status, after=found.after)
    return page(
        "admin/products.html",
        lines=found.lines,
        status=status,
        next_url=onward if found.after else "",
        first_url=url_for("desk.products", status=status) if after else "",
    )


@desk.get("/new-product")
def new_product() -> Response:
    """Show the form of a product that is to come."""
    return new_form(product_form.empty(the_shop()))


def new_form(form: Form, status: int = 200) -> Response:
    """Show the form of a product that is to come, as far as it was filled."""
    return page(
        "admin/product_new.html",
        status,
        form=form,
        description_html=_description(form),
        **_choices(the_shop(), "", form.upload),
    )


def _choices(shop: Shop, slug: str, upload: Sequence[str]) -> dict[str, Any]:
    """Give what the form offers: products for a bundle, classes, templates, files."""
    with shop.reading() as session:
        known = listed.names(session, bundles=False)
        others = [(word, name) for word, name in known if word != slug]
    own = sorted((shop.home / "templates").glob("*.html"))
    return {
        "others": others,
        "currency": shop.settings.shop.currency,
        "tax_classes": [each.value for each in TaxClass],
        "templates": [each.name for each in own if not each.name.startswith("_")],
        **on_tray(upload),
    }


def _description(form: Form) -> Markup:
    """Give the description as buyers will read it."""
    return Markup(render_markdown(form.values.get("description", "")))  # noqa: S704  # safe by kit.markdown


@desk.post("/new-product")
def add_product() -> AnyResponse:
    """Put a product on the shelf: as a draft, or on sale at once."""
    shop = the_shop()
    reader = Reader(shop, request.form, shop.settings.shop.currency)
    if request.form.get("do") == "look":
        unsent = product_form.unsent(request.form)
        return new_form(product_form.typed(request.form, unsent))
    files = reader.take("files", lambda: chosen_uploads(shop)) or []
    contains = request.form.getlist("contains")
    if not files and not contains and "files" not in reader.errors:
        reader.errors["files"] = "Send a file to sell, or tick what is in the bundle."
    reader.errors |= product_form.unsent(request.form)
    said: dict[str, Any] = reader.common() | reader.edition()
    said["edition"] = said["edition"] or None
    said["family"] = said["family"] or None
    typed = reader.text("slug")
    said["slug"] = reader.take("slug", lambda: check_slug(typed)) if typed else None
    version = reader.text("version")
    said["version"] = reader.take("version", lambda: shelving.check_version(version))
    if reader.errors:
        return new_form(product_form.typed(request.form, reader.errors), 422)
    slug = said["slug"] or slugify(said["name"])
    try:
        shelving.add_product(
            shop,
            files,
            contains=contains,
            draft=request.form.get("do") != "publish",
            witness=lambda session: audited(session, "product.added", slug),
            **said | {"slug": slug},
        )
    except (BadInputError, ConflictError, NotFoundError) as error:
        field = "slug" if isinstance(error, ConflictError) else ""
        return new_form(product_form.typed(request.form, {field: error.plain}), 422)
    use_up(shop, [*files, said["cover"]])
    words = "is on sale" if request.form.get("do") == "publish" else "is a draft"
    return done("desk.product", f"{said['name']} {words}.", slug=slug)


def chosen_uploads(shop: Shop) -> list[Upload]:
    """Give the uploads that were ticked. Raises BadInputError for one that is gone."""
    try:
        return [shop.uploads.get(each) for each in request.form.getlist("upload")]
    except NotFoundError as error:
        raise BadInputError(error.message, error.hint) from error


def use_up(shop: Shop, files: Sequence[Upload | None]) -> None:
    """Let go of uploads that lie in the storage now."""
    for each in files:
        if each is not None:
            shop.uploads.remove(each.id)


@desk.get("/products/<slug>")
def product(slug: str) -> Response:
    """Show one product, with the form that changes it."""
    with the_shop().reading() as session:
        found = catalogue.get(session, slug)
    return editor(found, product_form.of(found, the_shop()))


def editor(
    found: Product,
    form: Form,
    status: int = 200,
    differences: Sequence[tuple[str, ...]] = (),
) -> Response:
    """Show a product with the form that changes it, as it is or as it was filled."""
    shop = the_shop()
    choices = _choices(shop, found.slug, form.upload) | {"currency": found.currency}
    return page(
        "admin/product.html",
        status,
        product=_shown(shop, found),
        stays=_stays(shop, found),
        form=form,
        differences=differences,
        description_html=_description(form),
        **choices,
    )


def _shown(shop: Shop, found: Product) -> dict[str, Any]:
    return {
        "slug": found.slug,
        "name": found.name,
        "published": found.status is ProductStatus.PUBLISHED,
        "price": pricing.words(shop, asking.of(found)),
        "url": url_for("storefront.product", slug=found.slug),
        "cover_url": url_for("desk.product_cover", slug=found.slug, v=found.cover[:12])
        if found.cover
        else "",
        "cover_width": found.cover_width,
        "cover_height": found.cover_height,
        "files": [
            {"name": each.name, "size": human_size(each.size), "sha256": each.sha256}
            for each in found.files
        ],
        "releases": [
            {"version": each.version, "at": each.created_at}
            for each in reversed(found.releases)
        ],
    }


def _stays(shop: Shop, found: Product) -> str:
    """Say why a product cannot be deleted; nothing if it can."""
    try:
        with shop.reading() as session:
            deleting.check(session, found, shop.now())
    except ConflictError as error:
        return error.plain
    return ""


@desk.post("/products/<slug>")
def change_product(slug: str) -> AnyResponse:
    """Change a product; whoever comes second is told what the first has changed."""
    shop = the_shop()
    with shop.reading() as session:
        found = catalogue.get(session, slug)
    before = product_form.of(found, shop)
    if request.form.get("do") == "look":
        unsent = product_form.unsent(request.form)
        return editor(found, product_form.typed(request.form, unsent))
    reader = Reader(shop, request.form, found.currency)
    said = reader.common() | reader.edition() | reader.wording()
    reader.errors |= product_form.unsent(request.form)
    said["no_cover"] = reader.text("cover") == product_form.NO_COVER
    form = product_form.typed(request.form, reader.errors)
    if reader.errors:
        return editor(found, form, 422)
    contains = request.form.getlist("contains")
    changed = _differences(before, form)
    told = _told(found, said, changed)
    try:
        shelving.edit_product(
            shop,
            slug,
            contains=(contains or [""]) if "contains" in changed else (),
            seen=request.form.get("seen", ""),
            witness=lambda session: _note_change(session, slug, told),
            **said,
        )
    except ChangedMeanwhileError as error:
        return _second(slug, error)
    except (BadInputError, ConflictError, NotFoundError) as error:
        again = product_form.typed(request.form, {"": error.plain})
        return editor(found, again, error.status)
    use_up(shop, [said["cover"]])
    return done("desk.product", f"{said['name']} is saved.", slug=slug)


def _told(found: Product, said: dict[str, Any], changed: Changed) -> dict[str, Any]:
    """Give what the log says: what each field was and is, of long ones that they differ."""
    told = {NAMES[name]: written.logged(*both) for name, both in changed.items()}
    if said["cover"] or (said["no_cover"] and found.cover):
        told["Cover"] = "another" if said["cover"] else "none"
    return told


def _note_change(session: Session, slug: str, told: dict[str, Any]) -> None:
    if told:
        audited(session, "product.changed", slug, **told)


def _differences(now: Form, typed: Form) -> Changed:
    """Name the fields in which two forms differ, with what each has."""
    here, there = now.flat(), typed.flat()
    both = {name: (here.get(name, ""), there.get(name, "")) for name in NAMES}
    return {
        name: (one, other)
        for name, (one, other) in both.items()
        if one.strip() != other.strip()
    }


def _second(slug: str, error: ShopError) -> Response:
    """Show whoever comes second what they typed beside what there is; nothing is lost."""
    shop = the_shop()
    with shop.reading() as session:
        found = catalogue.get(session, slug)
    now = product_form.of(found, shop)
    form = product_form.typed(request.form, {"": str(error)})
    form.values["seen"] = now.values["seen"]
    differences = [
        (NAMES[name], *both) for name, both in _differences(now, form).items()
    ]
    return editor(found, form, error.status, differences)


@desk.post("/products/<slug>/publish")
def publish(slug: str) -> AnyResponse:
    """Show a product to buyers."""
    return _show(slug, published=True)


@desk.post("/products/<slug>/unpublish")
def unpublish(slug: str) -> AnyResponse:
    """Take a product off the shelf; its buyers keep it."""
    return _show(slug, published=False)


def _show(slug: str, *, published: bool) -> AnyResponse:
    with the_shop().transaction() as session:
        before = catalogue.get(session, slug).status
        found = catalogue.show(session, slug, published=published)
        if found.status is not before:
            word = "published" if published else "unpublished"
            audited(session, f"product.{word}", slug)
    words = "is on sale." if published else "is not shown any more; its buyers keep it."
    return done("desk.product", f"{found.name} {words}", slug=slug)


@desk.post("/products/<slug>/delete")
def delete_product(slug: str) -> AnyResponse:
    """Delete a product that nobody has; else say why it stays."""
    confirmed()
    shop = the_shop()
    with shop.reading() as session:
        found = catalogue.get(session, slug)
    try:
        name = removing.delete_product(
            shop,
            slug,
            lambda session: audited(session, "product.deleted", slug, name=found.name),
        )
    except ConflictError as error:
        form = product_form.of(found, shop)
        form.errors[""] = f"Nothing was deleted. {error.plain}"
        return editor(found, form, error.status)
    return done("desk.products", f"{name} is deleted.")


@desk.get("/products/<slug>/preview")
def preview(slug: str) -> AnyResponse:
    """Show a product as buyers would see it, a draft, too. Nothing can be bought there."""
    return product_page(slug, preview=True)


@desk.get("/products/<slug>/cover")
def product_cover(slug: str) -> Response:
    """Give the cover of any product, which strangers see of one on sale alone."""
    with the_shop().reading() as session:
        found = catalogue.get(session, slug)
    if not found.cover:
        abort(404)
    with the_shop().storage.open(found.cover) as file:
        return Response(file.read(), content_type=found.cover_type)


@desk.post("/markdown")
def markdown() -> Response:
    """Give Markdown as it will look; for the piece of a page that shows it."""
    form = Form({"description": request.form.get("text", "")})
    return page("admin/markdown.html", html=_description(form))
