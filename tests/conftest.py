"""How Hypothesis searches: `--hypothesis-profile=ci` (or deep) takes the place of dev.

No test measures time, so there is no deadline, and a slow machine is no reason to fail.
"""

import warnings

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "dev",
    max_examples=15,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("ci", settings.get_profile("dev"), max_examples=60, derandomize=True)
settings.register_profile("deep", settings.get_profile("dev"), max_examples=300)
settings.load_profile("dev")


@pytest.fixture(autouse=True)
def warnings_as_a_user_has_them():
    """Warnings are errors here, but for the filter that `import minigrad` sets, which pytest would cover.

    And a GPU does not warn, so the fake one does not.
    """
    for library in (r"minigrad\..*", "fakecupy"):
        warnings.filterwarnings("ignore", category=RuntimeWarning, module=library)
