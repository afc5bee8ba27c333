"""What the tables of the settings have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from inboxbot.config.addresses import checked_address

MailAddress = Annotated[str, AfterValidator(checked_address)]


class Section(BaseModel):
    """A table of the file: unknown keys are errors and wrong values are never echoed (they may be secrets)."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
