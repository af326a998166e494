import sys
from pathlib import Path

SCRIPTS = Path(workflow.basedir) / "scripts"
sys.path.insert(0, str(SCRIPTS))

from upsampling.config.mapping import merge
from upsampling.config.reading import check_file, typed
from upsampling.errors import UserError

# With --directory, the study in that folder may have a configuration of its own.
LOCAL = Path("config.yaml")
CONFIG = LOCAL if LOCAL.is_file() else Path(workflow.basedir, "config.yaml")

try:
    for path in (CONFIG, *map(Path, workflow.overwrite_configfiles)):
        check_file(path)
except UserError as error:
    sys.exit(f"error: {error}")


configfile: str(CONFIG)


config |= merge(config, typed(workflow.config_settings.config))
