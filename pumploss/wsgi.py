"""Pages and API under a WSGI server, where Django answers several times as many requests."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pumploss.settings")

application = get_wsgi_application()
