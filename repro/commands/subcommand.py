"""The ancestor's way to set up a package: an argparse subcommand that the package registers.

Kept for packages written as the tutorial says; a package with a card needs none of it.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import TYPE_CHECKING

from repro.common.registrable import Registrable
from repro.errors import ConfigurationError
from repro.models.lookup import packages_without_card

if TYPE_CHECKING:
    from collections.abc import Sequence


class SetupSubcommand(Registrable):
    """Base of what ``repro setup PACKAGE`` runs for a package without a card."""

    def add_subparser(
        self,
        model: str,
        subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
    ) -> argparse.ArgumentParser:
        """Add the parser of this package's options, whose `func` default is `run`."""
        parser = subparsers.add_parser(model)
        parser.set_defaults(subfunc=self.run)
        return parser

    def run(self, args: argparse.Namespace) -> None:
        """Set the package up."""
        raise NotImplementedError(f"{type(self).__name__} has no run")


def is_legacy(package: str) -> bool:
    """Whether a package has Python classes, and no card."""
    return package in set(packages_without_card())


def run_legacy(package: str, arguments: Sequence[str]) -> None:
    """Run the subcommand that a package has registered.

    Raises
    ------
    ConfigurationError
        If it has registered none.
    """
    import_module(f"repro.models.{package}")
    if package not in SetupSubcommand.list_available():
        problem = f"{package} has no model.toml, and repro.models.{package} no SetupSubcommand"
        raise ConfigurationError(f"{problem}: nothing says how it is set up")
    parser = argparse.ArgumentParser(prog="repro setup")
    subcommand = SetupSubcommand.by_name(package)()
    subcommand.add_subparser(package, parser.add_subparsers())
    parsed = parser.parse_args([package, *arguments])
    parsed.subfunc(parsed)
