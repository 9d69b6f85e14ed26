"""Every HTTP path, composed from the apps."""

from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularSwaggerView

import leaderboard.urls
from pumploss import health, problems

admin.site.site_header = admin.site.site_title = "Pump Loss staff"

handler400 = "pumploss.problems.bad_request"
handler404 = "pumploss.problems.not_found"
handler500 = "pumploss.problems.server_error"

api = [
    *leaderboard.urls.api,
    path("status/", health.StatusAPI.as_view(), name="api-status"),
]

urlpatterns = [
    *leaderboard.urls.pages,
    path("api/v1/", include(api)),
    path("api/schema/", health.SchemaAPI.as_view(), name="api-schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="api-schema"), name="api-docs"),
    re_path(r"^api/(?P<path>.*)$", problems.no_endpoint, name="api-nowhere"),
    path("healthz", health.alive, name="alive"),
    path("readyz", health.ready, name="ready"),
    path("metrics", health.metrics, name="metrics"),
    path("admin/", admin.site.urls),
]
