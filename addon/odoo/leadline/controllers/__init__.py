from . import leadline
