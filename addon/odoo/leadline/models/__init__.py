from . import leadline_claim
from . import leadline_connection
from . import leadline_line
from . import leadline_conversation
from . import crm_lead
from . import res_partner
