from . import leadline_erasure
from . import leadline_pairing
