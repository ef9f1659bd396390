"""What the four functions share: the domain, the ports, Google's adapters, the Graph client, settings, logging."""
