"""The defaults of training are those of Sec. 6."""

from upsampling.config.training import TrainingSettings


def test_defaults_are_those_of_the_paper():
    settings = TrainingSettings()
    assert (settings.loss, settings.epochs, settings.batch_size) == ("l1", 600, 32)
    assert settings.learning_rate == 2e-4
