from . import leadline_link
from . import res_config_settings
from . import website
