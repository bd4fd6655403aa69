"""Alerts in words."""

from __future__ import annotations

from django import template

from extraction import banner

register = template.Library()

register.filter("alert_sentence", banner.sentence)
register.filter("alert_runbook", banner.runbook)
