from .exact_world import ExactWorld as ExactWorld
