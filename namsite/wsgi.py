"""The web application for WSGI servers. Progress streams need ASGI; everything else works here too."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "namsite.settings")
application = get_wsgi_application()
