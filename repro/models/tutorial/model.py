"""The model of the tutorial."""

from repro.models import DockerModel, Model


@Model.register("tutorial-model")
class TutorialModel(DockerModel):
    """Reverses texts."""

    def predict(self, text: str) -> str:
        """Reverse a text.

        Parameters
        ----------
        text : str
            Any text.

        Returns
        -------
        str
            Its characters (Unicode code points) in the opposite order.
        """
        return self.answer(text=text)
