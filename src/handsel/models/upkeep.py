"""What the worker has found out about the shop itself, and keeps for the desk."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from handsel.models.base import Base, UtcDateTime, one_of
from handsel.models.words import Level


class KeptFinding(Base):
    """What took too long to look for while a page waits: of the last look, all of it."""

    __tablename__ = "kept_findings"

    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(String(8))
    level: Mapped[Level] = mapped_column(one_of(Level))
    problem: Mapped[str] = mapped_column(Text)
    hint: Mapped[str] = mapped_column(Text)
    found_at: Mapped[datetime] = mapped_column(UtcDateTime)
