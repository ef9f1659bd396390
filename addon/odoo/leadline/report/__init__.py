from . import leadline_link_report
