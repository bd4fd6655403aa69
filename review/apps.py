from django.apps import AppConfig


class ReviewConfig(AppConfig):
    name = "review"

    def ready(self) -> None:
        """Follows the runs, so that a document is in the queue when its extraction is over, and watches scores."""
        from extraction import following
        from review import tasks, watches  # noqa: F401  (its watches are known from now on)

        following.run_changed.append(tasks.recount)
        following.chores.append(tasks.catch_up)
