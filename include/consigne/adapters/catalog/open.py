"""All rooms of the catalog as one."""

from __future__ import annotations

from consigne.adapters.catalog.artifacts import ArtifactsCatalog
from consigne.adapters.catalog.deliveries import DeliveriesCatalog
from consigne.adapters.catalog.drafts import DraftsCatalog
from consigne.adapters.catalog.draws import DrawsCatalog
from consigne.adapters.catalog.epochs import EpochsCatalog
from consigne.adapters.catalog.erasure import ErasureCatalog
from consigne.adapters.catalog.findings import FindingsCatalog
from consigne.adapters.catalog.holds import HoldsCatalog
from consigne.adapters.catalog.messages import MessagesCatalog
from consigne.adapters.catalog.names import NamesCatalog
from consigne.adapters.catalog.people import PeopleCatalog
from consigne.adapters.catalog.policies import PoliciesCatalog
from consigne.adapters.catalog.register import RegisterCatalog
from consigne.adapters.catalog.requests import RequestsCatalog
from consigne.adapters.catalog.restorations import RestorationsCatalog
from consigne.adapters.catalog.stock import StockCatalog
from consigne.adapters.catalog.volumes import VolumesCatalog


class Catalog(
    DeliveriesCatalog,
    ArtifactsCatalog,
    EpochsCatalog,
    RequestsCatalog,
    ErasureCatalog,
    RegisterCatalog,
    PoliciesCatalog,
    HoldsCatalog,
    DraftsCatalog,
    PeopleCatalog,
    DrawsCatalog,
    MessagesCatalog,
    VolumesCatalog,
    RestorationsCatalog,
    FindingsCatalog,
    NamesCatalog,
    StockCatalog,
):
    """`Catalog(open_engine(url), random)`. Each room is a class on `Session`; acts see the port."""
