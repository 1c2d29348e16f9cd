"""A new edition: what it would be and whom it would reach, and making it so.

`plan` only looks. `publish` may be called again after any interruption: the same files
under the same version are the same edition, and it goes on where it stopped.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from handsel.kit.errors import BadInputError
from handsel.kit.links import whole_links
from handsel.kit.rates import gap_us
from handsel.models import Campaign, Product, Release, ReleaseFile
from handsel.ops import shelving
from handsel.ops.shelving import Offered, Witness, nobody
from handsel.outbound import announcing, audience, campaigns
from handsel.outbound.announcing import Announcement
from handsel.outbound.audience import Reach
from handsel.outbound.campaigns import NewCampaign
from handsel.sales import catalogue, releases
from handsel.sales.releases import NewFile, NewRelease, Shelf
from handsel.shop import Shop


@dataclass(frozen=True)
class Sending:
    """How a mail to everyone is to go: to whom, how fast, when."""

    to: Sequence[str] = ()
    rate: str | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class Wanted:
    """What a seller asks of a new edition."""

    slug: str
    files: Sequence[Offered]
    new: NewRelease
    sending: Sending = field(default_factory=Sending)


@dataclass(frozen=True)
class Plan:
    """What a new edition would be: its files, and whom the mail would reach.

    Args:
        release, campaign: what is there already, from an earlier call.
    """

    product: Product
    shelf: Shelf
    reach: Reach
    told: Announcement
    release: Release | None = None
    campaign: Campaign | None = None


@dataclass(frozen=True)
class Published:
    """The ids of an edition and of the campaign that tells of it."""

    release_id: int
    campaign_id: int | None


def plan(shop: Shop, wanted: Wanted, reach: Reach | None = None) -> Plan:
    """Look what a new edition would be. Changes nothing.

    Args:
        reach: if it was counted before, which takes its time.

    Raises NotFoundError, BadInputError, ConflictError for a version that has other
    files.
    """
    wanted = _with_whole_links(shop, wanted)
    for file in wanted.files:
        shelving.check_file(file)
    gap_us(wanted.sending.rate or "")
    files = [shelving.measured(file) for file in wanted.files]
    releases.check_names(files)
    with shop.reading() as session:
        product = catalogue.get(session, wanted.slug)
        release = releases.find(session, product.id, wanted.new.version)
        if release:
            _check_same(session, product, release, files)
        else:
            _check_new(product, files)
        shelf = releases.shelf(files, product.files, replace=wanted.new.replace)
        comes = [(file.name, file.size) for file, _ in shelf.comes]
        return Plan(
            product=product,
            shelf=shelf,
            reach=reach or _reach(session, product, wanted.sending.to, release),
            told=announcing.of_release(
                product.name,
                wanted.new.version,
                wanted.new.notes or (release.notes if release else ""),
                comes or _files_of(session, release),
            ),
            release=release,
            campaign=campaigns.of_release(session, release.id) if release else None,
        )


def _files_of(session: Session, release: Release | None) -> list[tuple[str, int]]:
    """Give name and size of each file that came with an edition that is out."""
    if release is None:
        return []
    found = select(ReleaseFile.name, ReleaseFile.size).where(
        ReleaseFile.release_id == release.id
    )
    rows = session.execute(found.order_by(ReleaseFile.position))
    return [(row.name, row.size) for row in rows]


def _with_whole_links(shop: Shop, wanted: Wanted) -> Wanted:
    notes = whole_links(wanted.new.notes, shop.settings.public_url)
    return replace(wanted, new=replace(wanted.new, notes=notes))


def _check_new(product: Product, files: Sequence[NewFile]) -> None:
    """Refuse what is on sale already: most often the old file was named by mistake."""
    known = {(file.name, file.sha256) for file in product.files}
    if {(file.name, file.sha256) for file in files} <= known:
        raise BadInputError(
            "These very files are on sale already: nothing is new in them.",
            "Check that you named the new ones.",
        )


def _check_same(
    session: Session, product: Product, release: Release, files: Sequence[NewFile]
) -> None:
    """Let the very same edition pass: the command was interrupted, or called twice.

    Files that stayed as they were may be named again; none at all is the edition that
    is out, to be told of.
    """
    if not files:
        return
    had = select(ReleaseFile.name, ReleaseFile.sha256).where(
        ReleaseFile.release_id == release.id
    )
    came = {(name, sha256) for name, sha256 in session.execute(had)}
    given = {(file.name, file.sha256) for file in files}
    on_sale = {(file.name, file.sha256) for file in product.files}
    if not came <= given <= came | on_sale:
        raise releases.taken(product.slug, release.version)


def _reach(
    session: Session, product: Product, to: Sequence[str], release: Release | None
) -> Reach:
    having = release.id if release else None
    return audience.reach(session, audience.read(session, product.id, to, having))


def publish(
    shop: Shop, wanted: Wanted, *, mail: bool, witness: Witness = nobody
) -> Published:
    """Store the files and make the edition current; make its campaign, if there is mail.

    The files first, then one transaction. Safe to repeat. Raises as `plan` does.
    """
    wanted = _with_whole_links(shop, wanted)
    stored = [shelving.store(shop, file) for file in wanted.files]
    sending = wanted.sending
    rate = shop.settings.mail.rate if sending.rate is None else sending.rate
    with shop.transaction() as session:
        product = catalogue.get(session, wanted.slug)
        releases.hold(session, product.id)
        release = releases.find(session, product.id, wanted.new.version)
        if release:
            _check_same(session, product, release, stored)
        else:
            release = releases.add(session, product, wanted.new, stored, shop.now())
        new = NewCampaign(
            product_id=product.id,
            release_id=release.id,
            audience=sending.to,
            gap_us=gap_us(rate),
            at=sending.at,
        )
        campaign = campaigns.of_release(session, release.id)
        if campaign is None or campaigns.not_begun(campaign):
            release.notes = wanted.new.notes or release.notes
        if campaign and campaigns.not_begun(campaign):
            campaigns.change(session, campaign, new, shop.now())
        elif mail and not campaign:
            campaign = campaigns.create(session, new, shop.now())
        witness(session)
        return Published(release.id, campaign.id if campaign else None)


def announce(shop: Shop, wanted: Wanted) -> int:
    """Publish an edition with its mail; give the campaign's id. As `publish` does."""
    campaign_id = publish(shop, wanted, mail=True).campaign_id
    assert campaign_id is not None
    return campaign_id
