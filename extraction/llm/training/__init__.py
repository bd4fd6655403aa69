"""What a small model is tuned on, made from the synthetic corpus. Nothing else can be a source."""
