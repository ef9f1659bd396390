"""From conversations to the CRM: one module per CRM behind `crm.Crm`; also the sweeps."""
