from django.apps import AppConfig


class NamsiteConfig(AppConfig):
    """The roof: settings, middleware, system checks and the commands that start everything."""

    name = "namsite"

    def ready(self) -> None:
        from namsite import checks  # noqa: F401  (registers itself)
