"""What is wrong with settings that were typed: at their fields, and on top of the page."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from handsel.kit.errors import BadInputError
from handsel.ops.desk import options
from handsel.ops.desk.options import Option


@dataclass(frozen=True)
class Mistakes:
    """What a page says of them, in the order of its fields.

    Args:
        at_fields: a sentence for each field of the page that is wrong.
        summary: the same with the name of each; "" for what stands on no field of it.
    """

    at_fields: dict[str, str]
    summary: dict[str, str | Markup]


def unreadable(typed: Iterable[tuple[Option, str]]) -> dict[str, str]:
    """Give a sentence for each that cannot even be written into the file."""
    found = {}
    for option, value in typed:
        try:
            options.change(option, value)
        except BadInputError as error:
            found[option.name] = str(error)
    return found


def sorted_out(
    errors: Mapping[str, str],
    typed: Mapping[str, str],
    shown: Sequence[Option],
    elsewhere: Mapping[str, tuple[str, str]],
) -> Mistakes:
    """Put every sentence where it belongs.

    Args:
        shown: the settings that have a field on the page, in its order.
        elsewhere: address and label of those on other pages.
    """
    here = {
        option.name: _with_lines(
            option, typed.get(option.name, ""), errors[option.name]
        )
        for option in shown
        if option.name in errors
    }
    called = {option.name: option.label for option in shown}
    summary: dict[str, str | Markup] = {
        name: f"{called[name]}: {words}" for name, words in here.items()
    }
    others = [
        _of_another(words, *elsewhere.get(name, ("", "")))
        for name, words in errors.items()
        if name not in here
    ]
    if others:
        summary[""] = Markup(" ").join(others)
    return Mistakes(here, summary)


def _of_another(words: str, url: str, label: str) -> Markup:
    if not url:
        return Markup("{}").format(words)
    return Markup('<a href="{}">{}</a>: {}').format(url, label, words)


def _with_lines(option: Option, typed: str, words: str) -> str:
    """Say in which lines of a list that stands which is named in the sentence."""
    if option.kind != "list":
        return words
    lines = [
        str(number)
        for number, line in enumerate(typed.split("\n"), 1)
        if any(each.strip() and repr(each.strip()) in words for each in line.split(","))
    ]
    where = {0: "", 1: "Line "}.get(len(lines), "Lines ")
    return f"{where}{', '.join(lines)}: {words}" if lines else words
