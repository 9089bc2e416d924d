"""The application, for a WSGI server.

pip install ../.. django gunicorn               # ../.. is this repository
python ../make_key.py report_read               # prints a key
gunicorn mysite.wsgi
curl -H "Authorization: Bearer <the key>" http://127.0.0.1:8000/reports
"""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
application = get_wsgi_application()
