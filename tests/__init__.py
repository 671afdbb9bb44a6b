"""Tests and their helpers, as one package."""

import pytest

pytest.register_assert_rewrite("tests.support")
