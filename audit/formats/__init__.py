"""The journal as files: JSON lines for the verifier, CSV for a spreadsheet, FHIR for other systems."""
