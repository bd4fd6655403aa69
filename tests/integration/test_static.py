"""Static files: whole, typed, cacheable, and without a warning under ASGI."""

from __future__ import annotations

import asyncio

import pytest
from django.test import AsyncClient


@pytest.mark.django_db
def test_a_style_sheet_is_served_whole(client):
    answer = client.get("/static/css/site.css")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/css")
    assert b"{" in answer.content
    assert int(answer["Content-Length"]) == len(answer.content)


@pytest.mark.django_db
def test_an_unchanged_file_is_not_sent_again(client):
    first = client.get("/static/css/site.css")
    again = client.get("/static/css/site.css", headers={"If-Modified-Since": first["Last-Modified"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.django_db(transaction=True)
def test_asgi_serves_it_without_a_warning():
    answer = asyncio.run(AsyncClient().get("/static/js/list.js"))
    assert answer.status_code == 200
    assert answer.content
