from django.apps import AppConfig


class ExtractionConfig(AppConfig):
    name = "extraction"

    def ready(self) -> None:
        """Counts anew what a day used when a run of it goes on."""
        from extraction import following, usage

        following.run_changed.append(usage.forget_days)
