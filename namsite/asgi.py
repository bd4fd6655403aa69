"""The web application as served: ASGI, so that a viewer of a progress stream costs no thread."""

import gc
import os

from django.core.asgi import get_asgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "namsite.settings")
application = get_asgi_application()

# Python looks through all its objects only once a quarter as many are new. With every view loaded and what is there now
# left out of account, what requests leave in circles is collected after hundreds of them instead of tens of thousands.
get_resolver().url_patterns  # noqa: B018 - loads the views
gc.collect()
gc.freeze()
