from .card import CriticCard as CriticCard
from .model import Critic as Critic
from .model import ProblemScorer as ProblemScorer
from .weights import CriticError as CriticError
