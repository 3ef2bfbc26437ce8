"""Places: from words to service points."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.deps import CurrentCaller, ReadSession
from api.network.lookup import find_places
from api.network.schemas import PlacesOut

router = APIRouter(tags=["places"])


@router.get("/places")
async def get_places(
    session: ReadSession,
    _caller: CurrentCaller,
    q: Annotated[str, Query(max_length=1000)],
    limit: Annotated[int, Query(ge=1, le=20)] = 5,
) -> PlacesOut:
    """Service points that the words `q` may mean: a bare address or a whole sentence, Chinese, English or pinyin."""
    return await find_places(session, q, limit)
