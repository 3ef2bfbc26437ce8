"""Assets, places and service points.

Power: substation → line (10 kV) → section (between two switches) → transformer. Water: plant → zone (pressure zone)
→ booster (station) or valve (section). `asset_ancestors` holds every (asset, ancestor) pair including the asset
itself, so that "which outages cover this service point" is one indexed join whose cost depends on the depth of the
tree and not on its width.
"""

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base


class Asset(Base):
    """A piece of one utility's network."""

    __tablename__ = "assets"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    utility: Mapped[str] = mapped_column(String(8))  # power | water
    kind: Mapped[str] = mapped_column(String(20))  # substation|line|section|transformer | plant|zone|…
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(80))
    voltage_kv: Mapped[int | None]
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("assets.id"), index=True)


class AssetAncestor(Base):
    """One row for every asset and each asset above it, itself included (depth 0)."""

    __tablename__ = "asset_ancestors"

    asset_id: Mapped[str] = mapped_column(ForeignKey("assets.id"), primary_key=True)
    ancestor_id: Mapped[str] = mapped_column(ForeignKey("assets.id"), primary_key=True, index=True)
    depth: Mapped[int]


class Place(Base):
    """What people name: an estate, a street, a village or a landmark."""

    __tablename__ = "places"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))  # estate | street | village | landmark
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(80))
    #: Other names in any language or script, separated by `|`.
    aliases: Mapped[str] = mapped_column(String(400), default="")
    district_zh: Mapped[str] = mapped_column(String(40), default="")
    district_en: Mapped[str] = mapped_column(String(40), default="")
    area_class: Mapped[str] = mapped_column(String(8))  # urban | rural | remote
    #: Set where the place lies outside the area: the neighbouring unit that serves it (A3).
    served_by: Mapped[str | None] = mapped_column(ForeignKey("units.id"))


class ServicePoint(Base):
    """A supply address: a building of an estate, a house of a street or village. Accounts name the room in it."""

    __tablename__ = "service_points"
    __table_args__ = (UniqueConstraint("place_id", "number"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    place_id: Mapped[str] = mapped_column(ForeignKey("places.id"))
    #: Building or house number in digits and letters, e.g. `3` or `12A`; empty where a place is a single point.
    number: Mapped[str] = mapped_column(String(12), default="")
    address_zh: Mapped[str] = mapped_column(String(120))
    address_en: Mapped[str] = mapped_column(String(120))
    area_class: Mapped[str] = mapped_column(String(8))
    power_asset_id: Mapped[str | None] = mapped_column(ForeignKey("assets.id"), index=True)
    water_asset_id: Mapped[str | None] = mapped_column(ForeignKey("assets.id"), index=True)


class NetworkState(Base):
    """One row: a number that grows with every load, so that processes know when their name index is old."""

    __tablename__ = "network_state"
    __table_args__ = (Index("ix_network_state_version", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    #: `demo` or `loaded`: demo and loaded data never mix.
    origin: Mapped[str] = mapped_column(String(8))
