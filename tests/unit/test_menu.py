"""The main menu offers what a role may open, and every page of it stands in the table once."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.models import Role
from accounts.policy import RIGHTS, Right
from namsite.menu import PAGES, Group, Link, menu

EVERY = [link for item in PAGES for link in (item.links if isinstance(item, Group) else (item,))]


def offered(role, here="", pressing=None):
    return menu({right.value: right in RIGHTS[role] for right in Right}, here, pressing or {})


def labels(items):
    return [item.view if isinstance(item, Link) else [link.view for link in item.links] for item in items]


def test_staff_are_offered_documents_alone():
    assert labels(offered(Role.STAFF)) == ["extraction:document-list"]


def test_reviewers_have_no_groups():
    assert labels(offered(Role.REVIEWER)) == [
        "extraction:document-list", "review:queue", "review:second-list", "review:quality",
    ]  # fmt: skip


def test_administrators_pages_are_in_two_groups():
    groups = [item for item in offered(Role.ADMIN) if isinstance(item, Group)]
    assert labels(groups) == [
        ["review:journal", "registers:hub", "review:retention"],
        ["extraction:availability", "extraction:alerts", "extraction:deployments", "extraction:costs"],
    ]


@pytest.mark.parametrize("link", EVERY, ids=lambda link: link.view)
def test_every_page_has_an_address_and_stands_once(link):
    assert reverse(link.view).startswith("/")
    assert [each.view for each in EVERY].count(link.view) == 1


@pytest.mark.parametrize("link", EVERY, ids=lambda link: link.view)
def test_the_page_that_is_shown_is_marked_with_its_group(link):
    here = menu({right.value: True for right in Right}, link.view, {})
    assert [item for item in here if item.is_here] == [
        item for item in here if link.view in str(labels([item])[0])
    ]  # fmt: skip


def test_a_request_that_presses_counts_on_its_page_and_on_its_group():
    group = next(item for item in offered(Role.ADMIN, pressing={Right.REGISTERS: 2}) if isinstance(item, Group))
    assert (group.pressing, [link.pressing for link in group.links]) == (2, [0, 2, 0])
