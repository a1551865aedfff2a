"""A party: whom personal data is about."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

__all__ = ["PARTY_FIELDS", "Party"]

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class Party(BaseModel):
    """A shipper, an addressee or whoever else takes part, with what is told of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Text | None = None
    phone: Text | None = None
    address: Text | None = None


PARTY_FIELDS = tuple(Party.model_fields)
