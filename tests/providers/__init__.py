"""One suite that every payment provider passes, and each one's own cases."""

import pytest

pytest.register_assert_rewrite("tests.providers.suite")
