"""Everything that talks to the Graph API."""
