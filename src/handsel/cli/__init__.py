"""The `handsel` command: one file for each noun, no logic, loaded only when used."""

import io
import json
import os
import sys
from importlib import import_module

import click

from handsel import __version__
from handsel.kit.errors import BadInputError, ShopError

COMMANDS = {
    "init": ("start:init", "Make a new shop in a folder."),
    "demo": ("start:demo", "Try a throw-away shop with a sample book."),
    "run": ("serve:run", "Open the shop: pages and worker."),
    "web": ("serve:web", "Serve only the pages."),
    "worker": ("serve:worker", "Only send mail and look after payments."),
    "product": ("product:product", "What is for sale."),
    "release": ("release:release", "Bring out a new version, and mail every buyer."),
    "coupon": ("coupon:coupon", "Words that lower a price."),
    "experiment": ("experiment:experiment", "A/B tests of a page, measured in money."),
    "order": ("order:order", "Who bought what; links, gifts, more downloads."),
    "invoice": ("invoice:invoice", "Invoices and credit notes."),
    "customer": ("customer:customer", "The people who bought."),
    "report": ("report:report", "What became of the money: payouts and fees."),
    "webhook": ("webhook:webhook", "Tell other programs what happens in the shop."),
    "staff": ("staff:staff", "Who may open the desk, at /admin/."),
    "simulate": ("simulate:simulate", "Make whole test purchases without a browser."),
    "mail": ("mail:mail", "Test, list and retry mails."),
    "reconcile": ("keep:reconcile", "Ask the payment providers what we missed."),
    "verify": ("keep:verify", "Prove that the books are right."),
    "doctor": ("keep:doctor", "Find what is wrong with the set-up."),
    "config": ("keep:config", "Check the settings."),
    "upgrade": ("keep:upgrade", "Bring the database to this version, after a backup."),
    "backup": ("keep:backup", "Save the whole shop into one file."),
    "restore": ("keep:restore", "Bring a shop back from a backup."),
}


class LazyGroup(click.Group):
    """A group that imports a command when it is called, so that help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names in the order a seller meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name][0].split(":")
        found = getattr(import_module(f"handsel.cli.{module}"), name)
        assert isinstance(found, click.Command)
        return found

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """List the commands from the table above, importing none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 88},
)
@click.version_option(__version__, prog_name="handsel")
def handsel() -> None:
    """A small shop for digital goods, on your own domain.

    \b
    Begin with:  handsel init myshop
                 handsel product add book.epub book.pdf --price 15 --home myshop
                 handsel run --home myshop

    Every command takes --home DIR (or HANDSEL_HOME; else the present folder) and
    --json. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 configuration.
    """


def main() -> None:
    """Run the command line; every error people can act on is a sentence, not a stack."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A letter the terminal lacks is no reason to call what was done a failure.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = handsel.main(standalone_mode=False)
    except click.exceptions.Exit as ended:
        code = ended.exit_code
    except click.ClickException as error:
        code = _wrong_words(error)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        code = 130
    except ShopError as error:
        code = _say(error)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except UnicodeEncodeError:
        code = _say(
            BadInputError(
                "The command has a word in it that is no text in UTF-8.",
                "Type that word anew.",
            )
        )
    except OSError as error:
        if os.environ.get("HANDSEL_DEBUG"):
            raise
        code = _say(_of_the_system(error))
    except Exception as error:
        if os.environ.get("HANDSEL_DEBUG"):
            raise
        code = _say(_of_the_database(error) or _unforeseen(error))
    sys.exit(code if isinstance(code, int) else 0)


def _wrong_words(error: click.ClickException) -> int:
    """Say what is wrong with the words of a command, beside how it is used."""
    if _wants_json():
        return _say(BadInputError(error.format_message()))
    error.show()
    return error.exit_code


def _of_the_system(error: OSError) -> ShopError:
    """Say what disk or system refused; most often a mode, a full disk, a wrong path."""
    place = f"{os.fsdecode(error.filename)}: " if error.filename else ""
    return ShopError(
        f"{place}{error.strerror or error}.",
        "Check the path, who may read and write there, and the room on the disk.",
    )


def _of_the_database(error: Exception) -> ShopError | None:
    """Say that the database went away or cannot be written, if it is that."""
    from sqlalchemy.exc import OperationalError

    from handsel.ops.schema import UnusableDatabaseError

    if not isinstance(error, OperationalError):
        return None
    # What SQLite calls no more than an error is SQL that is wrong: ours to mend.
    ours = getattr(error.orig, "sqlite_errorname", "") == "SQLITE_ERROR"
    return None if ours else UnusableDatabaseError(error)


def _unforeseen(error: Exception) -> ShopError:
    # The first line only: a database's error goes on with rows, and their people.
    first = str(error).partition("\n")[0]
    return ShopError(
        f"That failed in a way nobody foresaw: {type(error).__name__}: {first}",
        "Please report it; HANDSEL_DEBUG=1 shows where it happened.",
    )


def _say(error: ShopError) -> int:
    """Tell people, or a program that wants JSON, what is wrong; give the exit code."""
    if _wants_json():
        said = {"error": error.message, "hint": error.hint}
        click.echo(json.dumps(said, ensure_ascii=False, indent=2))
        return error.exit_code
    click.echo(
        f"{click.style('Error:', fg='red', bold=True)} {error.message}", err=True
    )
    if error.hint:
        click.echo(error.hint, err=True)
    return error.exit_code


def _wants_json() -> bool:
    """Look at the words themselves: those that are wrong were never taken apart."""
    return "--json" in sys.argv[1:]
