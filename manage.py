#!/usr/bin/env python
"""Django's command line."""

import os
import sys

from django.core.management import execute_from_command_line

from accounts import tenancy

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "namsite.settings")
    tenancy.process_scope = tenancy.EVERY  # Workers, the scheduler and commands serve every clinic.
    execute_from_command_line(sys.argv)
