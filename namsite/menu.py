"""The main menu: one table of pages with the rights that open them, the administrators' in groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.policy import Right


@dataclass(frozen=True)
class Link:
    """A page, by the name of its view: whether it is the one that is shown, and how many requests press there."""

    right: Right
    view: str
    label: str | Promise
    is_here: bool = False
    pressing: int = 0


@dataclass(frozen=True)
class Group:
    """Pages that unfold below one word."""

    label: str | Promise
    links: tuple[Link, ...]

    @property
    def is_here(self) -> bool:
        return any(link.is_here for link in self.links)

    @property
    def pressing(self) -> int:
        return sum(link.pressing for link in self.links)


Item = Link | Group

PAGES: tuple[Item, ...] = (
    Link(Right.LIST, "extraction:document-list", _("Documents")),
    Link(Right.QUEUE, "review:queue", _("To review")),
    Link(Right.REVIEW, "review:second-list", _("Second reviews")),
    Link(Right.QUALITY, "review:quality", _("Quality")),
    Link(Right.PEOPLE, "accounts:people", _("People")),
    Group(
        _("Journal and registers"),
        (
            Link(Right.JOURNAL, "review:journal", _("Journal")),
            Link(Right.REGISTERS, "registers:hub", _("Registers")),
            Link(Right.RETENTION, "review:retention", _("Retention")),
        ),
    ),
    Group(
        _("System"),
        (
            Link(Right.AVAILABILITY, "extraction:availability", _("Availability")),
            Link(Right.ALERTS, "extraction:alerts", _("Alerts")),
            Link(Right.MODELS, "extraction:deployments", _("Models")),
            Link(Right.COSTS, "extraction:costs", _("Costs")),
        ),
    ),
)


def menu(may: Mapping[str, bool], here: str, pressing: Mapping[Right, int]) -> list[Item]:
    """What a person with these rights (by name) is offered on the page of the view `here`, in order. `pressing` counts
    what must be answered soon, by the right that opens its page."""
    offered: list[Item] = []
    for item in PAGES:
        links = _offered((item,) if isinstance(item, Link) else item.links, may, here, pressing)
        if links:
            offered.append(links[0] if isinstance(item, Link) else replace(item, links=links))
    return offered


def _offered(
    links: tuple[Link, ...], may: Mapping[str, bool], here: str, pressing: Mapping[Right, int]
) -> tuple[Link, ...]:
    return tuple(
        replace(link, is_here=link.view == here, pressing=pressing.get(link.right, 0))
        for link in links
        if may.get(link.right)
    )
