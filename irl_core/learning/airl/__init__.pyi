from .config import AIRLConfig as AIRLConfig
from .config import DiscriminatorConfig as DiscriminatorConfig
from .discriminator import Discriminator as Discriminator
from .grpo import PolicyTrainer as PolicyTrainer
from .trainer import AIRLTrainer as AIRLTrainer
