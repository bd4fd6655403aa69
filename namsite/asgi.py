"""The web application as served: ASGI, so that a viewer of a progress stream costs no thread."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "namsite.settings")
application = get_asgi_application()
