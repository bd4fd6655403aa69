from django.apps import AppConfig


class ReviewConfig(AppConfig):
    name = "review"

    def ready(self) -> None:
        """Follows the runs, so that a document is in the queue when its extraction is over."""
        from extraction import following
        from review import tasks

        following.run_changed.append(tasks.recount)
        following.chores.append(tasks.catch_up)
