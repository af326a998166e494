"""Results that the tests of the gallery share."""

import pytest
from gallery_results import write_results

from upsampling.gallery.clips import Files


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return write_results(tmp_path_factory.mktemp("results"))
