from odoo.addons.web.tests import test_js
from odoo.tests import HttpCase, no_retry, tagged


@tagged("post_install", "-at_install")
class TestWeb(HttpCase):
    @no_retry
    def test_the_unit_tests_of_the_chat_pass_in_a_browser(self):
        ours = test_js.HOOTCommon._generate_hash(self, "@leadline")
        self.browser_js(
            f"/web/tests?headless&loglevel=2&preset=desktop&timeout=15000&id={ours}",
            code="",
            login="admin",
            timeout=300,
            success_signal="[HOOT] Test suite succeeded",
            error_checker=test_js.unit_test_error_checker,
        )
