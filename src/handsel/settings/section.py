"""What every section of the settings is made of."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict


def _words(value: object) -> object:
    """Let the environment write a list as `test,stripe`."""
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return value


Words = Annotated[list[str], BeforeValidator(_words)]


class Section(BaseModel):
    """One `[section]` of the file; an unknown key in it is an error, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
