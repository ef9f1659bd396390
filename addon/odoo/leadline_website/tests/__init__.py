from . import test_button
