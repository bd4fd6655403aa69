from django.apps import AppConfig


class ReviewConfig(AppConfig):
    name = "review"

    def ready(self) -> None:
        """Follows the runs, so that a document is in the queue when its extraction is over; says which of them are
        under review and on which pages people wrote a number; destroys daily what is due."""
        from extraction import following, restricting
        from review import queries, scores, tasks
        from review.retention import daily

        following.run_changed.append(tasks.recount)  # First: it locks the document's task, as a sign-off does.
        following.run_changed.append(scores.note)
        following.people_work_on.append(queries.runs_under_review)
        following.chores.append(tasks.catch_up)
        following.chores.append(scores.note_missed)
        following.chores.append(daily.Daily())
        restricting.also_on.append(queries.pages_of_decided)
