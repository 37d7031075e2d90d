from .base import Policy as Policy
from .base import TokenPolicy as TokenPolicy
from .names import PolicyError as PolicyError
from .sampling import Sampling as Sampling
from .sampling import TraceEnded as TraceEnded
from .sampling import TraceEvent as TraceEvent
from .sampling import TraceGrew as TraceGrew
