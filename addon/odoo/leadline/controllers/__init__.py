from . import contact_archive
from . import leadline
from . import leadline_file
