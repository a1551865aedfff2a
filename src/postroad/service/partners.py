"""Partners: what a service exchanges with others in EPCIS, over one desk."""

from __future__ import annotations

from datetime import datetime

from postroad.exchange.epcis.profile import Profile
from postroad.service.capture import Capture
from postroad.service.desk import Desk
from postroad.service.questions import Questions
from postroad.service.records import Records
from postroad.service.subscriptions import Subscriptions

__all__ = ["Partners"]

RECORDS_NAME = "service.db"


class Partners:
    """Capture, questions and subscriptions of a service.

    Parameters
    ----------
    desk: through which all goes. profile: how partners' numbers and steps are read; what a stranger's own extension
        says of custody and label is not believed unless it says so.
    """

    def __init__(self, desk: Desk, profile: Profile | None = None) -> None:
        profile = profile or Profile(is_ours=False)
        self._desk, self._records = desk, Records(desk.folder / RECORDS_NAME)
        self.capture = Capture(desk, self._records, profile)
        self.questions = Questions(desk, self._records, profile)
        self.subscriptions = Subscriptions(desk, self._records, self.questions)
        desk.listeners.append(self.subscriptions.added)

    def close(self) -> None:
        """Stop what goes on beside the answers."""
        self._desk.listeners.remove(self.subscriptions.added)
        self.capture.close()
        self.subscriptions.close()
        self._records.close()

    def now(self) -> datetime:
        """The present instant."""
        return self._desk.now()
