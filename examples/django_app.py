"""Keys in front of a Django project. In a real one the last lines stand in its wsgi.py.

pip install .. django gunicorn          # .. is this repository
python make_key.py report_read          # prints a key
gunicorn django_app:app
curl -H "Authorization: Bearer <the key>" http://127.0.0.1:8000/reports
"""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

from tollkey.keys import KeyService, Permission, wsgi

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="only for this example", USE_TZ=True)


def reports(request: HttpRequest) -> JsonResponse:
    if request.method == "POST":
        return JsonResponse({"made": True})
    return JsonResponse({"reports": [], "account": request.environ["tollkey.key"].account})


urlpatterns = [path("reports", reports)]

keys = KeyService.open(os.environ.get("KEYS_DB", "keys.db"), [Permission("report", "Reports")])
app = wsgi.KeyGate(
    get_wsgi_application(),
    keys,
    {"GET": "report_read", "*": "report_write"},
)
