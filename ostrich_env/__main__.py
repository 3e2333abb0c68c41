"""``python -m ostrich_env [NAME]``: the paths of the clips, presets and policies that come with the package."""

import sys

from ostrich_env.files import shipped_file, shipped_files

if len(sys.argv) > 1:
    print(shipped_file(sys.argv[1]))
else:
    print("\n".join(shipped_files()))
