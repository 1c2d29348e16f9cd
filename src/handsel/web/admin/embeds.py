"""What a seller copies into pages of their own: links, buttons, a QR code."""

from flask import Response

from handsel.ops import embedding
from handsel.web.admin.desk import desk
from handsel.web.admin.pictures import qr_code
from handsel.web.pages import page, the_shop


@desk.get("/products/<slug>/embed")
def embed(slug: str) -> Response:
    """Show the pieces, each with a button that copies it."""
    shop = the_shop()
    found = embedding.snippets(shop, slug)
    url = f"{shop.settings.public_url}/p/{slug}"
    return page(
        "admin/embed.html",
        product={"slug": slug, "name": found.name},
        script=found.script,
        pieces=[
            (kind, embedding.TITLES[kind], text) for kind, text in found.pieces.items()
        ],
        origins=shop.settings.embed.listed,
        origins_line=embedding.origins_line(shop.settings),
        url=url,
        code=qr_code(url),
    )


@desk.get("/products/<slug>/code.svg")
def embed_code(slug: str) -> Response:
    """Give the QR code of a product's page as a file, for paper."""
    shop = the_shop()
    embedding.snippets(shop, slug)  # which refuses a draft
    code = qr_code(f"{shop.settings.public_url}/p/{slug}")
    picture = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {code.size} {code.size}">'
        f'<rect width="{code.size}" height="{code.size}" fill="#fff"/>'
        f'<path fill="#000" d="{code.path}"/></svg>\n'
    )
    headers = {"Content-Disposition": f'attachment; filename="{slug}.svg"'}
    return Response(picture, headers=headers, mimetype="image/svg+xml")
