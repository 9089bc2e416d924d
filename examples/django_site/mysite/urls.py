"""The pages of this site."""

from django.http import HttpRequest, JsonResponse
from django.urls import path

from tollkey.keys.adapters.django import key_of, needs


@needs("report_read")
def reports(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"reports": [], "account": key_of(request).account})


def about(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"about": "this page needs no key"})


urlpatterns = [path("reports", reports), path("about", about)]
