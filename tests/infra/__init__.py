"""The Terraform files, held to the provider's schema, to Terraform itself and to the code that they deploy."""
