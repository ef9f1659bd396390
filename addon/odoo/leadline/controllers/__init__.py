from . import leadline
from . import leadline_file
