"""A dark Odoo for pictures and looking: Community brings none, so the colours turned round here are our own."""

import base64
import re
from urllib.parse import urljoin

from playwright.sync_api import BrowserContext, Route

from tests.open_line import OpenLine, ask_odoo

_BUNDLE = "web.assets_web_dark"
_SHEET = "/_custom/leadline_dark.scss"
# What Odoo's own sheets derive everything else from.
_COLOURS = """
$o-webclient-color-scheme: dark;
$o-white: #22252b;
$o-black: #ffffff;
$o-gray-100: #17191d;
$o-gray-200: #1d2025;
$o-gray-300: #33373f;
$o-gray-400: #484d57;
$o-gray-500: #6a707b;
$o-gray-600: #8e95a1;
$o-gray-700: #b6bcc6;
$o-gray-800: #d4d8de;
$o-gray-900: #eceef1;
$o-brand-primary: #9d8fd0;
$o-view-background-color: #22252b;
$o-webclient-background-color: #17191d;
"""


def darken(line: OpenLine) -> None:
    """Let Odoo make its dark bundle of these colours. Again is harmless."""
    if ask_odoo(line, "ir.attachment", "search_count", [("url", "=", _SHEET)]):
        return
    sheet = {"name": "dark", "type": "binary", "mimetype": "text/scss", "url": _SHEET, "public": True}
    ask_odoo(line, "ir.attachment", "create", [sheet | {"datas": base64.b64encode(_COLOURS.encode()).decode()}])
    place = {"directive": "before", "target": "web/static/src/scss/primary_variables.scss", "path": _SHEET}
    ask_odoo(line, "ir.asset", "create", [place | {"name": "dark", "bundle": _BUNDLE}])


def show_dark(context: BrowserContext, line: OpenLine) -> None:
    """Give the pages of a context the dark bundle in the light one's place."""

    def turn(route: Route) -> None:
        name = f"{_BUNDLE}.rtl.min.css" if ".rtl." in route.request.url else f"{_BUNDLE}.min.css"
        route.fulfill(response=route.fetch(url=urljoin(line.odoo, f"/web/assets/any/{name}")))

    context.route(re.compile(r"/web/assets/[^/]+/web\.assets_web\.(rtl\.)?min\.css"), turn)
