"""The outermost frame of the command line: parse, obey, and say what was refused."""

from __future__ import annotations

import inspect
import json
import os
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from io import TextIOWrapper
from itertools import pairwise
from typing import get_type_hints

import typer

from postroad.cli.options import Json, Lang, Version
from postroad.cli.refusal import describe_refusal, refusal_data
from postroad.cli.shell import Shell
from postroad.cli.verbs import VERBS, Verb
from postroad.core.errors import InputError, InternalError, LimitReached, PostroadError, UsageError
from postroad.core.language import LANGUAGES, choose_language

__all__ = ["main"]

INTERRUPTED = 130
BROKEN_PIPE = 141


def main(words: Sequence[str] | None = None, verbs: Sequence[Verb] = VERBS) -> int:
    """Obey a command line and give its exit code.

    Parameters
    ----------
    words: the words after the program's name; those of the process when left out.
    verbs: what can be asked for.

    Returns
    -------
    0 done, 2 usage, 3 bad data, 4 infeasible, 5 limit reached, 70 our fault, 130 interrupted, 141 reader gone.
    """
    words = list(sys.argv[1:] if words is None else words)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))  # asked to end: as Ctrl-C, nothing half-written
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = _obey(words, verbs)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output is gone; nothing more can reach it, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:  # the outermost frame: nothing may pass but as a refusal
        refusal = _refusal(error)
        _tell(refusal, words)
        return refusal.exit_code
    if code == INTERRUPTED:
        _tell(UsageError("PR-X005"), words)
    return code


def _obey(words: list[str], verbs: Sequence[Verb]) -> int:
    """Build the commands, of which only those that are named load their code, and run the one that is meant."""
    given = {"json": False, "lang": None}
    app = typer.Typer(
        name="postroad",
        help="Plans, runs and watches over a postal and express network.",
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def take_options(as_json: Json = False, lang: Lang = None, version: Version = False) -> None:
        given.update(json=as_json, lang=lang)

    for verb in verbs:
        command = _command(_load(verb), given) if verb.name in words else _placeholder
        app.command(verb.name, help=None if verb.name in words else verb.summary)(command)
    return app(words or ["--help"], prog_name="postroad", standalone_mode=False) or 0


def _load(verb: Verb) -> Callable:
    """Import the function of a verb."""
    return getattr(import_module(verb.module), verb.name.replace("-", "_"))


def _placeholder() -> None:
    """Stand in the help for a verb that is not named."""


def _command(function: Callable, given: dict[str, object]) -> Callable:
    """Wrap a verb as a command: the shell goes in, ``--json`` and ``--lang`` come on top of its own options."""
    hints = get_type_hints(function, include_extras=True)
    parameters = [
        parameter.replace(annotation=hints[parameter.name], kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in list(inspect.signature(function).parameters.values())[1:]
    ]
    for name, annotation, default in (("as_json", Json, False), ("lang", Lang, None)):
        parameters.append(
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        )

    def command(**values: object) -> int | None:
        as_json = bool(values.pop("as_json") or given["json"])
        language = choose_language(values.pop("lang") or given["lang"], os.environ)
        return function(Shell(json=as_json, language=language), **values)

    command.__signature__ = inspect.Signature(parameters)
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    command.__doc__ = inspect.getdoc(function).split("\n\nParameters\n")[0]
    return command


def _refusal(error: Exception) -> PostroadError:
    """Turn whatever was raised into a refusal with a code."""
    if isinstance(error, PostroadError):
        return error
    if isinstance(error, typer.TyperException):
        return UsageError("PR-X001", text=error.format_message().rstrip("."))
    if isinstance(error, OSError) and error.strerror:
        return InputError("PR-X004", path=error.filename or "", reason=error.strerror)
    if isinstance(error, MemoryError):
        return LimitReached("PR-X006")
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", prefix="postroad-fault-", suffix=".txt", delete=False
    ) as account:
        traceback.print_exception(error, file=account)
    places = traceback.extract_tb(error.__traceback__)
    place = next((place for place in reversed(places) if "postroad" in place.filename), places[-1])
    at = f"{place.filename}:{place.lineno}, in {place.name}"
    return InternalError("PR-I002", at=at, kind=type(error).__name__, text=str(error), log=account.name)


def _tell(refusal: PostroadError, words: Sequence[str]) -> None:
    """Print a refusal on standard error, in the language and form that the command line asks for."""
    asked = next((after for word, after in pairwise(words) if word == "--lang"), None)
    asked = next((word.removeprefix("--lang=") for word in words if word.startswith("--lang=")), asked)
    language = choose_language(asked if asked in LANGUAGES else None, os.environ)
    if "--json" in words:
        text = json.dumps(refusal_data(refusal, language), ensure_ascii=False, indent=2, default=str)
    else:
        text = describe_refusal(refusal, language)
    print(text, file=sys.stderr)
