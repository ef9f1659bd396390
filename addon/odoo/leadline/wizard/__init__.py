from . import leadline_erasure
