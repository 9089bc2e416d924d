"""The settings of this site."""

ALLOWED_HOSTS = ["*"]
MIDDLEWARE = ["django.middleware.csrf.CsrfViewMiddleware"]
ROOT_URLCONF = "mysite.urls"
SECRET_KEY = "only for this example"
USE_TZ = True

TOLLKEY = {"KEYS": "mysite.keys.keys"}
