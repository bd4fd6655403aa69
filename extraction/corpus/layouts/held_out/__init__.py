"""Layouts that nothing may be tuned on: other geometry, words, dates, labels, fonts and names than in development."""
