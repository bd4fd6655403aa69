from django.apps import AppConfig


class ReviewConfig(AppConfig):
    name = "review"

    def ready(self) -> None:
        """Follows the runs, so that a document is in the queue when its extraction is over, watches scores, and tells
        on which pages people wrote a number."""
        from extraction import following, restricting
        from review import queries, tasks, watches  # noqa: F401  (its watches are known from now on)

        following.run_changed.append(tasks.recount)
        following.chores.append(tasks.catch_up)
        restricting.also_on.append(queries.pages_of_decided)
