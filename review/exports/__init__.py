"""What leaves for the billing: which numbers of a document may, why others may not, and the files."""
