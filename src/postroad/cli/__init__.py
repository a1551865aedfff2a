"""The command line: a thin shell that parses, calls :mod:`postroad.study`, and renders.

A verb is one function in one small module, listed in :mod:`postroad.cli.verbs`. Its first parameter is the
:class:`~postroad.cli.shell.Shell` it speaks through; the others become its arguments and options::

    def explain(shell: Shell, code: Annotated[str | None, typer.Argument(help="...")] = None) -> None:
        \"\"\"Say what a code means and how to mend it.\"\"\"

Every verb has ``--json`` and ``--lang`` without declaring them. It raises what it cannot do; the outermost frame, in
:mod:`postroad.cli.main`, prints it. A verb returns None, or the exit code when that is not 0.
"""
