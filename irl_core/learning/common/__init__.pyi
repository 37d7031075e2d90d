from .encoding import Encoded as Encoded
from .encoding import encode as encode
from .lora import load_adapter_weights as load_adapter_weights
from .lora import new_adapter as new_adapter
from .lora import save_adapter as save_adapter
from .optimiser import MasterWeights as MasterWeights
from .run import TrainingRun as TrainingRun
